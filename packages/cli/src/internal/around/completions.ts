/** `zk completions`: a script that completes commands, flags, files and paths of znodes in a shell. */
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as GlobalFlags from "../frame/globalFlags.ts"
import { Printer } from "../output/Printer.ts"

export interface Input {
  readonly shell: Completions.Shell
}

/** The command `completions` of a program. */
export const completionsOf = (root: Command.Command.Any) =>
  Effect.fnUntraced(function* ({ shell }: Input) {
    const { write } = yield* Printer
    yield* write(`${scriptOf(root, shell)}\n`)
  })

/**
 * The script that Effect generates for commands and flags. It completes the paths of znodes too: in their place the generator
 * gets one choice that no path has, and the script gets a function that asks `zk`.
 */
export const scriptOf = (root: Command.Command.Any, shell: Completions.Shell): string => {
  const { name, subcommands, ...rest } = Completions.fromCommand(root)
  const globals = globalFlagsOf()
  const below = subcommands.map((command) => withPaths(command, [command.name], globals, shell))
  const descriptor = { ...rest, name, subcommands: below, flags: withKinds([...rest.flags, ...globals], "", "--") }
  const script = Completions.generate(root.name, shell, descriptor)
  return replaceAll(script, edits[shell])
}

// ---- internal

/** The only choice of an argument or a flag that is the path of a znode. */
const marker = "__znodes__"

const file = { _tag: "Path", pathType: "file" } as const
const znode = { _tag: "Choice", values: [marker] } as const

/** The kinds of arguments and flags by name. The words of a command come before a name that has another kind there. */
const kinds: ReadonlyMap<string, typeof file | typeof znode> = new Map<string, typeof file | typeof znode>([
  ...["path", "source", "target", "diff left", "diff right", "--path", "--taken"].map((name) => [name, znode] as const),
  ...[
    ...["file", "template", "directory", "backup", "snapshot diff left", "snapshot diff right"],
    ...["--file", "--output", "--profiles", "--auth-file", "--data", "--page"],
    ...["ca", "cert", "key"].flatMap((name) => [`--${name}`, `--https-${name}`])
  ].map((name) => [name, file] as const)
])

const withKinds = <A extends { readonly name: string }>(described: ReadonlyArray<A>, command: string, dashes = "") =>
  described.map((one) => {
    const name = `${dashes}${one.name}`
    const type = kinds.get(`${command} ${name}`) ?? kinds.get(name)
    return type === undefined ? one : { ...one, type }
  })

/** The flags that all commands have; the generator knows only those of each command. */
const globalFlagsOf = (): ReadonlyArray<Completions.FlagDescriptor> => {
  const flags = Object.fromEntries(
    [GlobalFlag.Help, GlobalFlags.Version, ...GlobalFlags.all].map(({ flag }, index) => [String(index), flag])
  )
  return Completions.fromCommand(Command.make("all", flags)).flags
}

/** The descriptor with global flags, files and znodes. */
const withPaths = (
  command: Completions.CommandDescriptor,
  words: ReadonlyArray<string>,
  globals: ReadonlyArray<Completions.FlagDescriptor>,
  shell: Completions.Shell
): Completions.CommandDescriptor => {
  const given = withKinds(command.arguments, words.join(" "))
  const [first, ...others] = given
  // The generator for bash has no subcommands where there are arguments: they are choices beside the znodes.
  const names = shell === "bash" ? command.subcommands.map(({ name }) => name) : []
  return {
    ...command,
    flags: withKinds([...command.flags, ...globals], words.join(" "), "--"),
    arguments:
      first?.type === znode && names.length > 0
        ? [{ ...first, type: { _tag: "Choice", values: [marker, ...names] } }, ...others]
        : given,
    subcommands: command.subcommands.map((below) => withPaths(below, [...words, below.name], globals, shell))
  }
}

type Edit = readonly [before: string, after: string]

const replaceAll = (script: string, edits: ReadonlyArray<Edit>): string =>
  edits.reduce((text, [before, after]) => text.replaceAll(before, () => after), script)

/** The edits of the script of each shell: a call in place of the marker, and the function that is called. */
const edits: Readonly<Record<Completions.Shell, ReadonlyArray<Edit>>> = {
  bash: [
    ["zk --completions bash >> ~/.bashrc", "source <(zk completions bash)    # in ~/.bashrc"],
    [`_zk--choices "$cur" "$_comp_word" '${marker}'`, `_zk--znodes "$cur" "$_comp_word"`],
    [
      "\n_zk()\n",
      `
_zk--znodes()
{
  local _paths=() _path _query="$1"
  _query=\${_query//\\\\/}; _query=\${_query//\\"/}; _query=\${_query//\\'/}
  # Other words are the beginning of a subcommand.
  [[ -z "$_query" || "$_query" == /* ]] && while IFS= read -r _path; do
    _paths+=("$_path")
  done < <(zk complete-znodes "$_query" -- "\${words[@]:1:cword-1}" 2>/dev/null)
  _zk--choices "$1" "$2" "\${@:3}" "\${_paths[@]}"
  [[ "\${#COMPREPLY[@]}" == 1 && "\${COMPREPLY[0]}" == */ ]] && compopt -o nospace 2>/dev/null
}

_zk()
`
    ]
  ],
  zsh: [
    [`:(${marker})'`, `:_zk__znodes'`],
    [
      "\n_zk() {\n",
      `
_zk__znodes() {
  local -a found leaves parents
  found=(\${(f)"$(zk complete-znodes "\${(Q)PREFIX}" -- "\${(@Q)_zk_words}" 2>/dev/null)"})
  leaves=(\${found:#*/})
  parents=(\${(M)found:#*/})
  compadd -a leaves
  compadd -S '' -a parents
}

_zk() {
  local -a _zk_words
  _zk_words=("\${(@)words[2,CURRENT-1]}")
`
    ],
    ["zk --completions zsh", "zk completions zsh"]
  ],
  fish: [
    [`-a '${marker}'`, `-a '(__zk_znodes)'`],
    ["zk --completions fish", "zk completions fish"],
    [
      "###-begin-zk-completions-###\n",
      `###-begin-zk-completions-###
function __zk_znodes
  set -l before (commandline -opc)
  zk complete-znodes (commandline -ct) -- $before[2..-1] 2>/dev/null
end
`
    ]
  ],
  powershell: [
    [`values = @('${marker}')`, "values = @(); znodes = $true"],
    ["zk --completions powershell", "zk completions powershell"],
    [
      "    param($entry, [string]$typed, [string]$textPrefix)\n",
      `    param($entry, [string]$typed, [string]$textPrefix)
    if ($entry.znodes) {
      $before = @($elements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
      })
      # Windows PowerShell passes no empty words on, and a script in place of a program gets no bare '--'.
      $query = $typed
      if (-not $query) { $query = '/' }
      foreach ($path in @(zk complete-znodes $query '--' @before 2>$null)) {
        & $add $path 'ParameterValue' $entry.description $typed $textPrefix
      }
    }
`
    ]
  ]
}
