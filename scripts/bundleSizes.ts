/**
 * `npx -y pnpm@12 sizes`: the bytes that the packages add to a bundle, minified and compressed, for some typical uses. `effect` is
 * left out, as applications have it anyway, and once counted.
 *
 * With `--check`, a part of `check`, only what exceeds its limit is printed. A limit is a twentieth above what it was when
 * it was written: raise it together with the change that needs it, and say why in that commit.
 */
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

interface Use {
  readonly name: string
  readonly code: string
  /** Kilobytes (1,000 bytes), compressed. */
  readonly limit: number
  /** Whether `effect` is bundled too. */
  readonly withEffect?: boolean
}

const uses: ReadonlyArray<Use> = [
  { name: "the protocol's codecs", limit: 7, code: 'export { Jute, Operations } from "@effect-zookeeper/protocol"' },
  { name: "the client, for Effect", limit: 68, code: 'export { layer } from "@effect-zookeeper/client/ZooKeeper"' },
  {
    name: "the client, for Promises",
    limit: 70,
    code: 'export { connect } from "@effect-zookeeper/client/PromiseClient"'
  },
  {
    name: "the client with a lock",
    limit: 73,
    code: 'export { layer } from "@effect-zookeeper/client/ZooKeeper"; export { make } from "@effect-zookeeper/recipes/Lock"'
  },
  {
    name: "all recipes as Promises, and the client",
    limit: 113,
    code: 'export { connect } from "@effect-zookeeper/client/PromiseClient"; export { recipes } from "@effect-zookeeper/recipes/Promise"'
  },
  {
    name: "the client with live configuration",
    limit: 72,
    code: 'export { layer } from "@effect-zookeeper/client/ZooKeeper"; export { make } from "@effect-zookeeper/config/LiveConfig"'
  },
  {
    name: "the client with the storage of a cluster",
    limit: 73,
    code: 'export { layer } from "@effect-zookeeper/client/ZooKeeper"; export { ZooKeeperRunnerHealth, ZooKeeperRunnerStorage } from "@effect-zookeeper/cluster"'
  },
  {
    name: "the embedded server",
    limit: 33,
    code: 'export { layerMemory } from "@effect-zookeeper/server/EmbeddedServer"'
  },
  {
    name: "the client for Promises, with effect",
    limit: 121,
    withEffect: true,
    code: 'export { connect } from "@effect-zookeeper/client/PromiseClient"'
  }
]

const root = fileURLToPath(new URL("..", import.meta.url))

const sizeOf = async ({ code, withEffect }: Use): Promise<number> => {
  const entry = Path.join(root, "scripts", "use.ts")
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    external: (id) => id.startsWith("node:") || (withEffect !== true && /^(effect|@effect)\//.test(id)),
    plugins: [
      {
        name: "use",
        load: (id) => (id === entry ? code : undefined),
        resolveId: (id) => (id === entry ? id : undefined)
      }
    ],
    logLevel: "silent"
  })
  const { output } = await bundle.generate({ minify: true, format: "esm" })
  await bundle.close()
  return output.reduce((sum, chunk) => sum + (chunk.type === "chunk" ? gzipSync(chunk.code).length : 0), 0) / 1000
}

const sizes = await Promise.all(uses.map(sizeOf))

for (const [index, { limit, name }] of uses.entries()) {
  const size = sizes[index] ?? 0
  const line = `${size.toFixed(1).padStart(6)} kB of ${limit} kB: ${name}`
  if (size > limit) {
    console.error(
      `${line}\n→ what is bundled has grown: find out by what, or raise the limit in scripts/bundleSizes.ts`
    )
    process.exitCode = 1
  } else if (!process.argv.includes("--check")) {
    console.log(line)
  }
}
