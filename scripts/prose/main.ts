/**
 * `npx -y pnpm@12 prose`: the places where prose differs from the style of CONTRIBUTING.md, with advice, and the names that
 * others have replaced. With a part of a rule's name it shows that rule alone.
 *
 * With `--check`, a part of `check`, it prints the rules that are broken somewhere, and fails if there is one.
 */
import * as Fs from "node:fs"
import { proseOf } from "./extract.ts"
import { names } from "./names.ts"
import { type Rule, rules } from "./rules.ts"
import { type Undocumented, notCompiledIn, undocumentedIn, withoutExampleIn } from "./symbols.ts"

const root = new URL("../../", import.meta.url)

/** What is generated, is not ours, or names what it forbids. */
const skipped =
  /(^|\/)(node_modules|dist|fixtures|mutants|\.git|coverage)(\/|$)|api-report\.md$|^scripts\/prose\/|^packages\/docs\/(api|\.vitepress)\/|\/Prose\.test\.ts$/

const filesIn = (folder: string): ReadonlyArray<string> =>
  Fs.readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`
    if (skipped.test(path)) return []
    if (entry.isDirectory()) return filesIn(`${path}/`)
    return /\.(md|ts|mjs|cjs)$/.test(entry.name) ? [path] : []
  })

const files = filesIn("").map((file) => ({ file, text: Fs.readFileSync(new URL(file, root), "utf8") }))

/** A rule that is not told by a pattern. */
type Advised = Omit<Rule, "pattern">

/** A rule of its own, for it looks at code and at the names of files. */
const oldNames: Advised = { name: "names of old", advice: "the glossary in CONTRIBUTING.md has the new ones" }

/** Of the packages that are published; internal modules need not be explained to users. */
const ofSymbols: ReadonlyArray<Advised & { readonly find: (text: string) => ReadonlyArray<Undocumented> }> = [
  {
    name: "public symbols without prose",
    advice: "say what it does, when to use it, units, defaults and errors",
    find: undocumentedIn
  },
  {
    name: "constructors and layers without an example",
    advice: "add an `@example`: a module of its own, which is compiled with the READMEs",
    find: withoutExampleIn
  },
  {
    name: "code in doc comments that is not compiled",
    advice: "put `@example` above it, at the end of the comment, and make it a module with its imports",
    find: notCompiledIn
  }
]

interface Place {
  readonly rule: Advised
  readonly place: string
  readonly text: string
}

const inProse: ReadonlyArray<Place> = files.flatMap(({ file, text }) =>
  proseOf(file, text).flatMap((prose) =>
    rules
      .filter(({ pattern }) => pattern.test(prose.text))
      .map((rule) => ({ rule, place: `${file}:${prose.line}`, text: prose.text }))
  )
)

const inNames: ReadonlyArray<Place> = files.flatMap(({ file, text }) =>
  names
    .filter(({ within }) => file.startsWith(`packages/${within}`))
    .flatMap(({ instead, kind, old }): ReadonlyArray<Place> => {
      const found = kind === "file" ? file.includes(`/${old}.`) || file.includes(`/${old}/`) : declares(text, old)
      return found ? [{ rule: oldNames, place: file, text: `${kind} ${old} → ${instead}` }] : []
    })
)

/** Whether a file declares a name, rather than only using one of somebody else's. */
function declares(text: string, name: string): boolean {
  return new RegExp(`\\b(?:const|let|function|class|interface|type) ${name}\\b`).test(text)
}

const isPublic = (file: string): boolean => /^packages\/(?!test-kit|docs)[\w-]+\/src\/\w+\.ts$/.test(file)

/** The names that public modules export from an internal one: "*" for all. */
const exportedFrom = new Map<string, Set<string>>()
for (const { file, text } of files.filter(({ file }) => isPublic(file))) {
  for (const [, names, module] of text.matchAll(
    /^export (?:type )?(?:(?:\*)|\{([^}]*)\}) from "\.\/(internal\/[^"]+)"/gm
  )) {
    const internal = `${file.slice(0, file.lastIndexOf("/"))}/${module}`
    const known = exportedFrom.get(internal) ?? new Set()
    exportedFrom.set(internal, known)
    for (const name of names?.split(",") ?? ["*"])
      known.add(
        name
          .replace("type ", "")
          .replace(/ as .*/, "")
          .trim()
      )
  }
}

const isExported = (file: string, name: string): boolean =>
  isPublic(file) || (exportedFrom.get(file)?.has("*") ?? false) || (exportedFrom.get(file)?.has(name) ?? false)

const inSymbols: ReadonlyArray<Place> = files
  .filter(({ file }) => isPublic(file) || exportedFrom.has(file))
  .flatMap(({ file, text }) =>
    ofSymbols.flatMap((rule) =>
      rule
        .find(text)
        .filter(({ name }) => name === "```ts" || isExported(file, name))
        .map(({ line, name }) => ({ rule, place: `${file}:${line}`, text: name }))
    )
  )

const places = [...inProse, ...inNames, ...inSymbols]

// -----------------------------------------------------------------------------
// what is printed
// -----------------------------------------------------------------------------

const args = process.argv.slice(2)
const isCheck = args.includes("--check")

for (const rule of [...rules, ...ofSymbols, oldNames]) {
  if (!args.every((arg) => arg.startsWith("--") || rule.name.includes(arg))) continue
  const broken = places.filter((each) => each.rule === rule)
  if (isCheck && broken.length === 0) continue
  console.log(`${rule.name}: ${broken.length} → ${rule.advice}`)
  for (const { place, text } of broken) console.log(`  ${place}  ${text}`)
  if (isCheck) process.exitCode = 1
}
