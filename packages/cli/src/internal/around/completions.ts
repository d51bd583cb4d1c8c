/** `zk completions`: a script that completes commands, flags, files, profiles and paths of znodes in a shell. */
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
 * The script that Effect generates for commands and flags. It completes the paths of znodes and the names of profiles too: in
 * their place the generator gets one choice that no path has, and the script gets a function that asks `zk`.
 */
export const scriptOf = (root: Command.Command.Any, shell: Completions.Shell): string => {
  const { name, subcommands, ...rest } = Completions.fromCommand(root)
  const globals = globalFlagsOf()
  const below = subcommands.map((command) => withPaths(command, [command.name], globals, shell))
  const flags = withoutExtras(withKinds([...rest.flags, ...globals], "", "--"), shell)
  const script = Completions.generate(root.name, shell, { ...rest, name, subcommands: below, flags })
  const edited = replaceAll(script, edits[shell])
  return shell === "fish" ? edited.replaceAll(fishChoices, "$1 $3\n$1 -d '$2' -r -f") : edited
}

// ---- internal

/** The only choice of an argument or a flag that is the path of a znode. */
const marker = "__znodes__"
/** The same for the name of a profile. */
const profileMarker = "__profiles__"
/** The same for a value that nothing completes. */
const noneMarker = "__none__"

const file = { _tag: "Path", pathType: "file" } as const
const znode = { _tag: "Choice", values: [marker] } as const
const profile = { _tag: "Choice", values: [profileMarker] } as const

type Kind = typeof file | typeof znode | typeof profile

/** The kinds of arguments and flags by name. The words of a command come before a name that has another kind there. */
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["--profile", profile],
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

/**
 * Flags without what the generator adds to them: negations, for every flag is off unless it is given, and in bash the words that
 * come next, where a flag wants a value that nothing completes.
 */
const withoutExtras = (
  flags: ReadonlyArray<Completions.FlagDescriptor>,
  shell: Completions.Shell
): ReadonlyArray<Completions.FlagDescriptor> =>
  flags.map((flag) => {
    if (flag.type._tag === "Boolean") return { ...flag, negation: false }
    const isOpen = flag.type._tag !== "Choice" && flag.type._tag !== "Path"
    return shell === "bash" && isOpen ? { ...flag, type: { _tag: "Choice", values: [noneMarker] } } : flag
  })

/**
 * A flag with choices: fish shows the description of its line behind each of them. Of two lines for one flag, it shows the
 * description of the later one.
 */
const fishChoices = /^(complete .* -l [^']*) -d '((?:[^'\\]|\\.)*)' (-r -f -a '.*')$/gm

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
  const given = withKinds(
    // Fish shows the description of an argument behind each of its paths.
    shell === "fish" ? command.arguments.map((one) => ({ ...one, description: undefined })) : command.arguments,
    words.join(" ")
  )
  const [first, ...others] = given
  // The generator for bash has no subcommands where there are arguments: they are choices beside the znodes.
  const names = shell === "bash" ? command.subcommands.map(({ name }) => name) : []
  return {
    ...command,
    flags: withoutExtras(withKinds([...command.flags, ...globals], words.join(" "), "--"), shell),
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

/** The edits of the script of each shell: a call in place of a marker, and the functions that are called. */
const edits: Readonly<Record<Completions.Shell, ReadonlyArray<Edit>>> = {
  bash: [
    ["zk --completions bash >> ~/.bashrc", "source <(zk completions bash)    # in ~/.bashrc"],
    [`_zk--choices "$cur" "$_comp_word" '${marker}'`, `_zk--znodes "$cur" "$_comp_word"`],
    [`_zk--choices "$cur" "$_comp_word" '${profileMarker}'`, `_zk--profiles "$cur" "$_comp_word"`],
    [`_zk--choices "$cur" "$_comp_word" '${noneMarker}'`, "COMPREPLY=()"],
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

_zk--profiles()
{
  local _names=() _name
  while IFS= read -r _name; do
    _names+=("$_name")
  done < <(zk complete-profiles '' -- "\${words[@]:1:cword-1}" 2>/dev/null)
  _zk--choices "$1" "$2" "\${_names[@]}"
}

_zk()
`
    ]
  ],
  zsh: [
    [`:(${marker})'`, `:_zk__znodes'`],
    [`:(${profileMarker})'`, `:_zk__profiles'`],
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

_zk__profiles() {
  local -a names
  names=(\${(f)"$(zk complete-profiles '' -- "\${(@Q)_zk_words}" 2>/dev/null)"})
  compadd -a names
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
    [`-a '${profileMarker}'`, `-a '(__zk_profiles)'`],
    ["zk --completions fish", "zk completions fish"],
    [
      "###-begin-zk-completions-###\n",
      `###-begin-zk-completions-###
function __zk_znodes
  set -l before (commandline -opc)
  zk complete-znodes (commandline -ct) -- $before[2..-1] 2>/dev/null
end
function __zk_profiles
  set -l before (commandline -opc)
  zk complete-profiles '' -- $before[2..-1] 2>/dev/null
end
`
    ]
  ],
  powershell: [
    [`values = @('${marker}')`, "values = @(); znodes = $true"],
    [`values = @('${profileMarker}')`, "values = @(); profiles = $true"],
    ["zk --completions powershell", "zk completions powershell"],
    [
      "    param($entry, [string]$typed, [string]$textPrefix)\n",
      `    param($entry, [string]$typed, [string]$textPrefix)
    if ($entry.znodes -or $entry.profiles) {
      $before = @($elements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
      })
      # Windows PowerShell passes no empty words on, and a script in place of a program gets no bare '--'.
      $query = $typed
      if (-not $query) { $query = '/' }
      $asked = 'complete-znodes'
      if ($entry.profiles) { $asked = 'complete-profiles' }
      foreach ($found in @(zk $asked $query '--' @before 2>$null)) {
        & $add $found 'ParameterValue' $entry.description $typed $textPrefix
      }
    }
`
    ]
  ]
}
