/**
 * What a compiled declaration file says to users: its declarations without comments and imports, in the order of their
 * names. Where it exports declarations of an internal module, which users cannot import, they are shown as its own.
 */

/** The declarations of a declaration file. `read` gives the text of an internal module by its path, `./internal/x.ts`. */
export const declarationsOf = (text: string, read: (path: string) => string | undefined = () => undefined): string =>
  statementsOf(withoutComments(text))
    .flatMap((statement) => withInternal(statement, read))
    .filter((statement) => !/^(import\b|export \{\};)/.test(statement))
    .map((statement) => ({ statement, name: nameOf(statement) }))
    // Stable: overloads stay as they are, for their order has a meaning.
    .toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
    .map(({ statement }) => statement)
    .join("\n")

/** The declarations of an internal module that an export names; any other statement is left as it is. */
const withInternal = (statement: string, read: (path: string) => string | undefined): ReadonlyArray<string> => {
  const [, names, path] = /^export (?:type )?(?:\*|\{([^}]*)\}) from "(\.\/internal\/[^"]+)"/.exec(statement) ?? []
  const internal = path === undefined || / as /.test(names ?? "") ? undefined : read(path)
  if (internal === undefined) return [statement]
  const wanted = names?.split(",").map((name) => name.replace("type ", "").trim())
  return statementsOf(withoutComments(internal)).filter((declaration) => {
    const name = nameOf(declaration)
    return wanted === undefined ? name !== "" : wanted.includes(name.replace(/_base$/, ""))
  })
}

/** Comments are what is not within a string, a template or a regular expression; declarations have none of the last. */
const withoutComments = (text: string): string =>
  text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[^]*?\*\/|\/\/[^\n]*/g, (token) =>
    token.startsWith("/") ? "" : token
  )

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
