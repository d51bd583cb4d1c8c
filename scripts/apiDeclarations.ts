/**
 * What a compiled declaration file says to users: its declarations without comments and imports, in the order of their
 * names.
 */

/** The declarations of a file of the compiler's. */
export const declarationsOf = (text: string): string =>
  statementsOf(withoutComments(text))
    .filter((statement) => !/^(import\b|export \{\};)/.test(statement))
    .map((statement) => ({ statement, name: nameOf(statement) }))
    // Stable: overloads stay as they are, for their order has a meaning.
    .toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))
    .map(({ statement }) => statement)
    .join("\n")

/** Comments are what is not within a string, a template or a regular expression; declarations have none of the last. */
const withoutComments = (text: string): string =>
  text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[^]*?\*\/|\/\/[^\n]*/g, (token) =>
    token.startsWith("/") ? "" : token
  )

/** A statement begins at the left edge, and what closes it stands there too. */
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
