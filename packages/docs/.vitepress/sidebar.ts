/** The order in which the pages are shown beside each page. */
import * as Fs from "node:fs"
import type { DefaultTheme } from "vitepress"

const group = (text: string, folder: string, pages: Readonly<Record<string, string>>): DefaultTheme.SidebarItem => ({
  text,
  collapsed: false,
  items: Object.entries(pages).map(([name, text]) => ({ text, link: `/${folder}/${name}` }))
})

const pages: Array<DefaultTheme.SidebarItem> = [
  group("Quick start", "quick-start", { effect: "With Effect", promises: "With Promises" }),
  group("Guides", "guides", {
    znodes: "Reading and writing",
    watching: "Watching",
    errors: "Errors and lost connections",
    locks: "Locks and what they promise",
    configuration: "Live configuration",
    cluster: "Effect Cluster",
    "http-handlers": "HTTP handlers and AbortSignal",
    "command-line": "The command line",
    console: "The console in a browser",
    backups: "Backups and files of servers",
    testing: "Testing",
    production: "Production",
    security: "Security",
    workers: "Workers and node:cluster",
    runtimes: "Bundlers, CommonJS, Bun, Deno"
  }),
  group("Coming from", "coming-from", {
    "node-zookeeper-client": "node-zookeeper-client",
    zookeeper: "zookeeper (the C binding)",
    kazoo: "kazoo",
    curator: "Curator and Java",
    aiozk: "aiozk"
  }),
  group("Reference", "reference", {
    client: "Client: options and errors",
    recipes: "Recipes",
    config: "Configuration",
    cluster: "Effect Cluster",
    console: "The console",
    storage: "Storage: backups and files",
    cli: "The command zk",
    server: "Embedded server",
    session: "Session",
    transport: "Transport and TLS",
    protocol: "Protocol",
    guarantees: "Guarantees",
    servers: "Releases of ZooKeeper",
    keeper: "ClickHouse Keeper",
    benchmarks: "Benchmarks",
    measurements: "Measurements",
    faults: "Faults that are tested",
    "recipes-tests": "Recipes: what is tested",
    "security-tests": "Security: what is tested",
    "security-policy": "Security policy",
    changelog: "Changelog"
  }),
  { text: "API reference", link: "/api/" },
  group("Decisions", "decisions", {
    index: "What is decided",
    "effect-4-alone": "Effect 4 alone",
    "own-socket": "A socket of its own",
    "quorum-proofs": "Quorum proofs",
    "no-message-storage": "No MessageStorage"
  })
]

/** TypeDoc writes the second part before the site is built. */
export const sidebar = (): DefaultTheme.SidebarMulti => ({
  "/": pages,
  "/api/": [
    { text: "Guides and reference", link: "/" },
    { text: "API reference", link: "/api/", items: [...modules()] }
  ]
})

/** The modules of each package; the packages in the order of the first page of the reference, not of the alphabet. */
const modules = (): ReadonlyArray<DefaultTheme.SidebarItem> => {
  const { entryPoints }: { readonly entryPoints: ReadonlyArray<string> } = read("../typedoc.json")
  const groups: ReadonlyArray<DefaultTheme.SidebarItem> = read("../api/typedoc-sidebar.json")
  return entryPoints.flatMap((files) => groups.filter(({ text }) => text === files.split("/")[1]))
}

const read = (file: string) => JSON.parse(Fs.readFileSync(new URL(file, import.meta.url), "utf8"))
