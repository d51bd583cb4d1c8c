/**
 * The part of a compiled declaration file that users see: its declarations without comments and imports, in the order of
 * their names, and those of internal modules that it exports or uses.
 */
import * as Path from "node:path/posix"
import { tokens } from "./prose/extract.ts"

/** The declarations of a file of the compiler's. */
export const declarationsOf = (text: string): string =>
  inOrder(statementsOf(withoutComments(text)).filter((statement) => !/^(import\b|export \{\};)/.test(statement)))

/** The declarations of internal modules that a module exports or uses, directly or through each other. */
export const internalDeclarationsOf = (file: string, read: (file: string) => string): string => {
  const found = new Map<string, ReadonlyArray<string>>()
  const follow = (from: string, statements: ReadonlyArray<string>, imports: Imports): void => {
    for (const [, path, local, member] of statements.flatMap((statement) => usesOf(statement, imports))) {
      const target = Path.join(Path.dirname(from), path)
      if (target.includes("internal/")) collect(target, imports.named.get(local)?.name ?? member)
    }
  }
  const collect = (file: string, name: string): void => {
    const key = `${file} ${name}`
    if (found.has(key)) return
    const statements = statementsOf(withoutComments(read(file)))
    const own = statements.filter((statement) => nameOf(statement) === name)
    found.set(key, own)
    follow(file, own, importsOf(statements))
    const declared = new Set(statements.map(nameOf))
    for (const [word] of own.join("\n").matchAll(/[\w$]+/g)) if (declared.has(word)) collect(file, word)
  }
  const statements = statementsOf(withoutComments(read(file)))
  for (const module of statements.flatMap(
    (statement) => /^export \* from "(\.\/internal\/[^"]+)"/.exec(statement)?.[1] ?? []
  )) {
    const target = Path.join(Path.dirname(file), module)
    for (const name of exportedNamesOf(read(target))) collect(target, name)
  }
  const imports = importsOf(statements)
  follow(file, [...statements.filter((statement) => !statement.startsWith("import"))], imports)
  return inOrder([...found.values()].flat())
}

const exportedNamesOf = (text: string): ReadonlyArray<string> =>
  statementsOf(withoutComments(text))
    .filter((statement) => statement.startsWith("export"))
    .map(nameOf)
    .filter((name) => name !== "")

/** The names that a file has from other files of its package, and the namespaces. */
interface Imports {
  readonly named: ReadonlyMap<string, { readonly path: string; readonly name: string }>
  readonly namespaces: ReadonlyMap<string, string>
}

const importsOf = (statements: ReadonlyArray<string>): Imports => {
  const named = new Map<string, { readonly path: string; readonly name: string }>()
  const namespaces = new Map<string, string>()
  for (const statement of statements) {
    const all = /^import (?:type )?\* as ([\w$]+) from "(\.[^"]+)"/.exec(statement)
    if (all !== null) namespaces.set(all[1]!, all[2]!)
    const some = /^(?:import|export) (?:type )?\{([^}]*)\} from "(\.[^"]+)"/.exec(statement)
    for (const [, name, local] of some?.[1]?.matchAll(/(?:type )?([\w$]+)(?: as ([\w$]+))?/g) ?? []) {
      named.set(local ?? name!, { path: some![2]!, name: name! })
    }
  }
  return { named, namespaces }
}

/** The imported names in a statement, each with the path of its module, and the member of a namespace. */
const usesOf = (
  statement: string,
  { named, namespaces }: Imports
): ReadonlyArray<readonly [use: string, path: string, local: string, member: string]> =>
  [...statement.matchAll(/([\w$]+)(?:\.([\w$]+))?/g)].flatMap(([use, local = "", member = ""]) => {
    const path = named.get(local)?.path ?? (member === "" ? undefined : namespaces.get(local))
    return path === undefined ? [] : [[use, path, local, member] as const]
  })

const inOrder = (statements: ReadonlyArray<string>): string =>
  statements
    .map((statement) => ({ statement, name: nameOf(statement) }))
    // Stable: overloads stay as they are, for their order has a meaning.
    .toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
    .map(({ statement }) => statement)
    .join("\n")

/** Comments are what is not within a string, a template or a regular expression; declarations have none of the last. */
const withoutComments = (text: string): string => text.replace(tokens, (token) => (token.startsWith("/") ? "" : token))

/** A statement begins at the left edge, and so does the line that closes it. */
const statementsOf = (text: string): ReadonlyArray<string> => {
  const statements: Array<string> = []
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue
    if (/^[\s})\]]/.test(line) && statements.length > 0) statements.push(`${statements.pop()}\n${line}`)
    else statements.push(line)
  }
  return statements
}

const nameOf = (statement: string): string =>
  /^(?:export )?(?:declare )?(?:abstract )?(?:const|let|function|class|interface|type|enum|namespace) (?:enum )?([\w$]+)/.exec(
    statement
  )?.[1] ?? ""
