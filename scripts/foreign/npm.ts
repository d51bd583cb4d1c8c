/**
 * The two clients from npm, `node-zookeeper-client` and `zookeeper`, the binding of the C client: the same session on two
 * servers, line by line. They are those of the benchmark's peers.
 */
import * as Effect from "effect/Effect"
import { hasCBinding, installPeers } from "../bench/contestants.ts"
import { loadPeer } from "../bench/peer.ts"
import type { SuiteResult } from "./results.ts"
import { compareLines, type Servers } from "./shells.ts"

type Results = ReadonlyArray<unknown>
type Done = (...results: Results) => void

/** A step of a session: its name, and how it is asked. */
type Step<Client> = readonly [name: string, ask: (zk: Client, done: Done) => void]

/** A session with each of the clients that can be loaded. */
export const compareNpm = (servers: Servers): Effect.Effect<SuiteResult> =>
  Effect.gen(function* () {
    installPeers()
    const sessions = hasCBinding() ? [javaScriptSession, cBindingSession] : [javaScriptSession]
    const results = yield* Effect.forEach(sessions, (session) =>
      compareLines(session(servers.ours), session(servers.real))
    )
    return {
      passed: results.reduce((sum, { passed }) => sum + passed, 0),
      skipped: 0,
      failed: results.flatMap(({ failed }) => failed)
    }
  })

/** Asks one step after the other, and says what came of each. */
const follow = <Client>(zk: Client, steps: ReadonlyArray<Step<Client>>, events: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    for (const [name, ask] of steps) {
      const results = yield* Effect.callback<Results>((resume) =>
        ask(zk, (...results) => resume(Effect.succeed(results)))
      ).pipe(Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed(["no answer in 5 seconds"]) }))
      lines.push(`${name}: ${results.map(describe).join(", ")}`)
    }
    yield* Effect.sleep("300 millis")
    return [...lines, ...events]
  })

/** Text of a result, without times, session ids and zxids. */
const describe = (value: unknown): string => {
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString())
  if (Array.isArray(value)) return `[${value.map(describe).toSorted().join(" ")}]`
  if (value instanceof Error || typeof value !== "object" || value === null) return String(value)
  const fields = Object.entries(value).filter(([name]) => compared.has(name))
  return fields.length === 0 ? String(value) : fields.map(([name, field]) => `${name} ${describe(field)}`).join(" ")
}

/** The fields of a Stat, of an ACL and of a result of a transaction that are the same on two servers. */
const compared: ReadonlySet<string> = new Set([
  ...["version", "cversion", "aversion", "dataLength", "numChildren"],
  ...["perms", "permission", "scheme", "id", "auth", "type", "path", "err"]
])

// -----------------------------------------------------------------------------
// node-zookeeper-client
// -----------------------------------------------------------------------------

interface Transaction {
  create(path: string, data: Buffer): Transaction
  setData(path: string, data: Buffer): Transaction
  check(path: string, version: number): Transaction
  remove(path: string): Transaction
  commit(done: Done): void
}

interface JavaScriptClient {
  once(event: "connected" | "disconnected", listener: () => void): void
  connect(): void
  close(): void
  create(path: string, data: Buffer, mode: number, done: Done): void
  remove(path: string, version: number, done: Done): void
  exists(path: string, watcher: Done, done: Done): void
  getChildren(path: string, watcher: Done, done: Done): void
  getData(path: string, watcher: Done, done: Done): void
  setData(path: string, data: Buffer, version: number, done: Done): void
  getACL(path: string, done: Done): void
  mkdirp(path: string, done: Done): void
  transaction(): Transaction
}

interface JavaScriptModule {
  createClient(servers: string, options: { readonly sessionTimeout: number }): JavaScriptClient
}

const javaScriptSession = (servers: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const zk = yield* Effect.acquireRelease(
      Effect.callback<JavaScriptClient>((resume) => {
        const { createClient } = loadPeer<JavaScriptModule>("node-zookeeper-client")
        const zk = createClient(servers, { sessionTimeout: 10_000 })
        zk.once("connected", () => resume(Effect.succeed(zk)))
        zk.connect()
      }),
      (zk) =>
        Effect.callback<void>((resume) => {
          zk.once("disconnected", () => resume(Effect.void))
          zk.close()
        })
    )
    const events: Array<string> = []
    const watch: Done = (event) => void events.push(`event ${String(event)}`)
    const steps: ReadonlyArray<Step<JavaScriptClient>> = [
      ["create", (zk, done) => zk.create("/npm", Buffer.from("one"), 0, done)],
      ["create again", (zk, done) => zk.create("/npm", Buffer.from("one"), 0, done)],
      ["create below nothing", (zk, done) => zk.create("/none/child", Buffer.from("one"), 0, done)],
      ["create sequential", (zk, done) => zk.create("/npm/s-", Buffer.from("one"), 2, done)],
      ["create ephemeral", (zk, done) => zk.create("/npm/e", Buffer.from("one"), 1, done)],
      ["create below ephemeral", (zk, done) => zk.create("/npm/e/child", Buffer.from("one"), 0, done)],
      ["create ephemeral sequential", (zk, done) => zk.create("/npm/es-", Buffer.from("one"), 3, done)],
      ["mkdirp", (zk, done) => zk.mkdirp("/npm/a/b/c", done)],
      ["exists", (zk, done) => zk.exists("/npm", watch, done)],
      ["exists not", (zk, done) => zk.exists("/none", watch, done)],
      ["getData", (zk, done) => zk.getData("/npm", watch, done)],
      ["getData of nothing", (zk, done) => zk.getData("/none", watch, done)],
      ["getChildren", (zk, done) => zk.getChildren("/npm", watch, done)],
      ["getACL", (zk, done) => zk.getACL("/npm", done)],
      ["setData", (zk, done) => zk.setData("/npm", Buffer.from("two"), 0, done)],
      ["setData of another version", (zk, done) => zk.setData("/npm", Buffer.from("two"), 0, done)],
      ["remove with children", (zk, done) => zk.remove("/npm", -1, done)],
      ["remove", (zk, done) => zk.remove("/npm/s-0000000000", -1, done)],
      ["remove nothing", (zk, done) => zk.remove("/none", -1, done)],
      [
        "transaction",
        (zk, done) =>
          zk
            .transaction()
            .create("/npm/t", Buffer.from("one"))
            .setData("/npm/t", Buffer.from("two"))
            .check("/npm/t", 1)
            .remove("/npm/t")
            .commit(done)
      ],
      [
        "transaction that fails",
        (zk, done) => zk.transaction().create("/npm/t", Buffer.from("one")).check("/npm/t", 7).commit(done)
      ]
    ]
    return yield* follow(zk, steps, events)
  }).pipe(Effect.scoped)

// -----------------------------------------------------------------------------
// the binding of the C client
// -----------------------------------------------------------------------------

interface CBinding {
  connect(options: Record<string, unknown>, done: (error: unknown) => void): void
  once(event: "close", listener: () => void): void
  close(): void
  a_create(path: string, data: Buffer, flags: number, done: Done): void
  a_exists(path: string, watch: boolean, done: Done): void
  a_get(path: string, watch: boolean, done: Done): void
  a_get_children2(path: string, watch: boolean, done: Done): void
  a_set(path: string, data: Buffer, version: number, done: Done): void
  a_get_acl(path: string, done: Done): void
  a_delete_(path: string, version: number, done: Done): void
  aw_get(path: string, watcher: Done, done: Done): void
}

const cBindingSession = (servers: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const zk = yield* Effect.acquireRelease(
      Effect.callback<CBinding>((resume) => {
        const zk = new (loadPeer<new () => CBinding>("zookeeper"))()
        const options = { connect: servers, timeout: 10_000, debug_level: 1, host_order_deterministic: true }
        zk.connect(options, (error) => resume(error ? Effect.die(error) : Effect.succeed(zk)))
      }),
      (zk) =>
        Effect.callback<void>((resume) => {
          zk.once("close", () => resume(Effect.void))
          zk.close()
        })
    )
    const events: Array<string> = []
    const watch: Done = (type, _state, path) => void events.push(`event ${String(type)} ${String(path)}`)
    const steps: ReadonlyArray<Step<CBinding>> = [
      ["a_create", (zk, done) => zk.a_create("/npm-c", Buffer.from("one"), 0, done)],
      ["a_create again", (zk, done) => zk.a_create("/npm-c", Buffer.from("one"), 0, done)],
      ["a_create sequential", (zk, done) => zk.a_create("/npm-c/s-", Buffer.from("one"), 2, done)],
      ["a_create ephemeral", (zk, done) => zk.a_create("/npm-c/e", Buffer.from("one"), 1, done)],
      ["a_exists", (zk, done) => zk.a_exists("/npm-c", false, done)],
      ["a_exists not", (zk, done) => zk.a_exists("/none", false, done)],
      ["aw_get", (zk, done) => zk.aw_get("/npm-c", watch, done)],
      ["a_get of nothing", (zk, done) => zk.a_get("/none", false, done)],
      ["a_get_children2", (zk, done) => zk.a_get_children2("/npm-c", false, done)],
      ["a_get_acl", (zk, done) => zk.a_get_acl("/npm-c", done)],
      ["a_set", (zk, done) => zk.a_set("/npm-c", Buffer.from("two"), 0, done)],
      ["a_set of another version", (zk, done) => zk.a_set("/npm-c", Buffer.from("two"), 0, done)],
      ["a_delete_ with children", (zk, done) => zk.a_delete_("/npm-c", -1, done)],
      ["a_delete_", (zk, done) => zk.a_delete_("/npm-c/s-0000000000", -1, done)]
    ]
    return yield* follow(zk, steps, events)
  }).pipe(Effect.scoped)
