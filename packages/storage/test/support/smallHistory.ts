/** The files of a real server after a short history that has every type of transaction, and the words for it. */
import { Acl, Op, ZooKeeper } from "@effect-zookeeper/client"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Path from "node:path"

export interface Files {
  /** A folder with the files, which is gone after the Scope. */
  readonly folder: string
  /** All files of the folder, by their paths. */
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly log: string
  /** A snapshot that has the whole history. */
  readonly snapshot: string
}

/** The files are made once for each configuration in each test file. Each test has a folder of its own with them. */
export const smallHistory = (config: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const key = config.join()
    const made = known.get(key) ?? (yield* Effect.scoped(makeHistory(config)))
    known.set(key, made)
    const folder = yield* TemporaryFolder.make("history-")
    const files: Record<string, Uint8Array> = {}
    for (const [name, bytes] of made.files) {
      Fs.writeFileSync(Path.join(folder, name), bytes)
      files[Path.join(folder, name)] = bytes.slice()
    }
    const result: Files = {
      folder,
      files,
      log: Path.join(folder, made.log),
      snapshot: Path.join(folder, made.snapshot)
    }
    return result
  })

/** Files by their names. */
interface Made {
  readonly files: ReadonlyArray<readonly [string, Uint8Array]>
  readonly log: string
  readonly snapshot: string
}

const known = new Map<string, Made>()

const makeHistory = (config: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const server = yield* ZooKeeperServer.make({
      // An ensemble of one can be reconfigured.
      quorum: true,
      config: ["preAllocSize=8", ...config],
      jvmFlags: ["-Dfile.encoding=UTF-8"]
    })
    yield* Effect.gen(function* () {
      const zk = yield* ZooKeeper.ZooKeeper
      yield* zk.create("/a", { data: "one" })
      yield* zk.createWithStat("/a/ä", { acl: Acl.readOnly })
      yield* zk.setData("/a", "two")
      yield* zk.setAcl("/a", Acl.readOnly)
      yield* zk.setAcl("/a", Acl.open, { version: -1 }).pipe(Effect.ignore)
      yield* zk.create("/t", { mode: "persistentWithTtl", ttl: "1 hour" })
      yield* zk.create("/e", { mode: "ephemeral" })
      yield* zk.create("/c", { mode: "container" })
      yield* zk.create("/c/child")
      yield* zk.create("/b")
      yield* zk.create("/b").pipe(Effect.ignore)
      yield* zk.transaction([Op.create("/m", { data: "m" }), Op.setData("/b", "x"), Op.check("/b"), Op.delete("/m")])
      yield* zk.transaction([Op.create("/n"), Op.check("/b", 77), Op.delete("/b")]).pipe(Effect.ignore)
      yield* zk.delete("/c/child")
      yield* zk.addAuth("digest", Redacted.make("super:secret"))
      yield* zk.reconfigure({ joining: ["server.9=127.0.0.1:1:2:observer;127.0.0.1:3"] })
      // The server deletes the container.
      yield* eventually(zk.exists("/c"), (exists) => !exists)
    }).pipe(Effect.provide(ZooKeeper.layer({ servers: server.connectString })))
    yield* server.kill
    const folder = Path.join(server.folder, "data", "version-2")
    const log = onlyOne(folder, "log.")
    // A server that starts writes a snapshot.
    yield* server.start
    yield* server.kill
    const names = Fs.readdirSync(folder)
    const snapshot = names.find((name) => name.startsWith("snapshot.") && !name.startsWith("snapshot.0"))!
    const files = names.map((name) => [name, new Uint8Array(Fs.readFileSync(Path.join(folder, name)))] as const)
    const made: Made = { files, log, snapshot }
    return made
  })

const onlyOne = (folder: string, prefix: string): string => {
  const [name, ...others] = Fs.readdirSync(folder).filter((name) => name.startsWith(prefix))
  if (name === undefined || others.length > 0) throw new Error(`${folder} has not one file ${prefix}*`)
  return name
}
