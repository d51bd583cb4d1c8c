/**
 * `npx -y pnpm@12 prose`: where prose is written otherwise than CONTRIBUTING.md asks, with what to write instead, and which
 * names of old are left. With a part of a rule's name it shows that rule alone.
 *
 * With `--check`, a part of `check`, it prints only the rules of which there are more places than `allowed.json` has, and
 * fails then. With `--renew` it writes the present numbers into that file.
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

/** A rule of its own, for it looks at code and at the names of files. */
const oldNames: Rule = {
  name: "names of old",
  pattern: /^$/,
  advice: "the glossary in CONTRIBUTING.md has the new ones"
}

/** Of the packages that are published; internal modules need not be explained to users. */
const ofSymbols: ReadonlyArray<Rule & { readonly find: (text: string) => ReadonlyArray<Undocumented> }> = [
  {
    name: "public symbols without prose",
    pattern: /^$/,
    advice: "say what it does, when to use it, units, defaults and errors",
    find: undocumentedIn
  },
  {
    name: "constructors and layers without an example",
    pattern: /^$/,
    advice: "add an `@example`: a module of its own, which is compiled with the READMEs",
    find: withoutExampleIn
  },
  {
    name: "code in doc comments that is not compiled",
    pattern: /^$/,
    advice: "put `@example` above it, at the end of the comment, and make it a module with its imports",
    find: notCompiledIn
  }
]

interface Place {
  readonly rule: Rule
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
const ledger = new URL("allowed.json", import.meta.url)
const allowed: Readonly<Record<string, number>> = JSON.parse(Fs.readFileSync(ledger, "utf8"))
const all = [...rules, ...ofSymbols, oldNames]
const countOf = (rule: Rule): number => places.filter((each) => each.rule === rule).length

if (args.includes("--renew")) {
  const counts = Object.fromEntries(all.map((rule) => [rule.name, countOf(rule)]))
  Fs.writeFileSync(ledger, `${JSON.stringify(counts, null, 2)}\n`)
}

for (const rule of args.includes("--renew") ? [] : all) {
  if (!args.every((arg) => arg.startsWith("--") || rule.name.includes(arg))) continue
  const most = allowed[rule.name] ?? 0
  const count = countOf(rule)
  const line = `${rule.name}: ${count}, where ${most} are allowed → ${rule.advice}`
  if (!isCheck) {
    console.log(`\n${line}`)
    for (const each of places) if (each.rule === rule) console.log(`  ${each.place}  ${each.text}`)
  } else if (count > most) {
    console.error(`${line}; \`npx -y pnpm@12 prose "${rule.name}"\` shows them`)
    process.exitCode = 1
  }
}
