/**
 * The public API of each published package, as the compiler declares it: `packages/<name>/api-report.md`.
 *
 * `npx -y pnpm@12 api` writes the reports anew; `--check`, a part of `check`, fails where one differs from the declarations
 * in `dist`. So a change of the public API is seen in the difference of a commit, and none happens by accident. Comments
 * and imports are left out, and declarations are in the order of their names: only what users can see makes a difference.
 */
import { format } from "oxfmt"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { declarationsOf, internalDeclarationsOf } from "./apiDeclarations.ts"
import { publishedPackages } from "./release/workspace.ts"

const root = new URL("../", import.meta.url)

const published = publishedPackages().map(({ folder }) => folder)

const reportOf = async (name: string): Promise<string> => {
  const modules = Fs.readdirSync(new URL(`packages/${name}/src/`, root))
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
  const sections = modules.map(async (file) => {
    const path = `packages/${name}/dist/${file.replace(/\.ts$/, ".d.ts")}`
    const url = new URL(path, root)
    if (!Fs.existsSync(url)) throw new Error(`${path} is not there: run \`npx -y pnpm@12 check\`, which compiles`)
    const read = (module: string): string =>
      Fs.readFileSync(new URL(`packages/${name}/dist/${module.replace(/\.ts$/, ".d.ts")}`, root), "utf8")
    const internal = internalDeclarationsOf(file, read)
    const declarations = `${declarationsOf(read(file))}\n${internal === "" ? "" : `\n// of internal modules\n\n${internal}`}`
    const { code } = await format(file, declarations, { semi: false, printWidth: 120 })
    return `## ${file.replace(/\.ts$/, "")}\n\n\`\`\`ts\n${code}\`\`\`\n`
  })
  const title = `# The API of @effect-zookeeper/${name}`
  const note = "<!-- Written by `npx -y pnpm@12 api`, and compared by `check`. Do not edit. -->"
  return [`${title}\n\n${note}\n`, ...(await Promise.all(sections))].join("\n")
}

/** The first lines that differ, for people. */
const difference = (before: string, now: string): string => {
  const [old, fresh] = [new Set(before.split("\n")), new Set(now.split("\n"))]
  const lines = [
    ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${line}`),
    ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${line}`)
  ]
  return lines.slice(0, 20).join("\n")
}

const check = process.argv.includes("--check")

const changed = await Promise.all(
  published.map(async (name) => {
    const file = new URL(`packages/${name}/api-report.md`, root)
    const before = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
    const now = await reportOf(name)
    if (before === now) return false
    if (check) console.error(`The API of ${name} has changed:\n${difference(before, now)}`)
    else Fs.writeFileSync(file, now)
    return true
  })
)

if (check && changed.includes(true)) {
  console.error(
    `→ if that is meant, run \`npx -y pnpm@12 api\` and commit ${fileURLToPath(root)}packages/*/api-report.md`
  )
  process.exitCode = 1
}
