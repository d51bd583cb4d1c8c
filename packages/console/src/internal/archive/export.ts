/** Subtrees as files that a person takes away. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Backup from "@effect-zookeeper/storage/Backup"
import type { Progress } from "@effect-zookeeper/storage/Progress"
import type { LiveReader } from "@effect-zookeeper/storage/TreeSource"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { ExportEvent } from "../../Models.ts"
import { type ReadFailure, Refused } from "../../ProtocolError.ts"
import * as limits from "../limits.ts"
import { countZnodes } from "../tree/search.ts"
import { toArchiveFailure } from "./failures.ts"

/** A compressed backup of the subtree. It is made in a temporary folder first, because its header tells the moment of it. */
export const exportSubtree = (
  zk: Service,
  path: string
): Stream.Stream<ExportEvent, ReadFailure, FileSystem.FileSystem> =>
  Stream.callback<ExportEvent, ReadFailure, FileSystem.FileSystem>(
    (queue) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const znodes = yield* countZnodes(zk, path)
        if (znodes > limits.exported) return yield* tooMuch(`${path} has ${znodes} znodes`, `${limits.exported} znodes`)
        const folder = yield* fs.makeTempDirectoryScoped({ prefix: "zk-ui-" })
        const file = `${folder}/subtree.ndjson.gz`
        let last: Progress | undefined
        const told = Effect.gen(function* () {
          if (last !== undefined) {
            const total = last.total === undefined ? {} : { total: last.total }
            yield* Queue.offer(queue, { _tag: "progress", done: last.done, ...total })
          }
          yield* checkSize(fs, folder, path)
        })
        yield* Effect.raceFirst(
          Backup.make(withoutHashes(zk), file, {
            path,
            resume: false,
            concurrency: 64,
            onProgress: (progress) => {
              last = progress
            }
          }),
          Effect.andThen(Effect.repeat(told, Schedule.spaced("250 millis")), Effect.never)
        )
        yield* checkSize(fs, folder, path)
        yield* Stream.runForEach(fs.stream(file, { chunkSize: partSize }), (bytes) =>
          Queue.offer(queue, { _tag: "part", bytes })
        )
        yield* Queue.end(queue)
      }).pipe(
        Effect.catch((error) => Queue.fail(queue, toArchiveFailure(error))),
        Effect.asVoid
      ),
    { bufferSize: 4, strategy: "suspend" }
  )

// ---- internal

const partSize = 256 * 1024

/** The client with ACLs that have no hashes of passwords, as servers show them to clients without the ADMIN permission. */
const withoutHashes = (zk: Service): LiveReader => ({
  get: (path) => zk.get(path),
  getAcl: (path) => Effect.map(zk.getAcl(path), ({ acl, stat }) => ({ acl: acl.map(masked), stat })),
  getChildrenWithStat: (path) => zk.getChildrenWithStat(path),
  stat: (path) => zk.stat(path),
  read: (ops) => zk.read(ops),
  sync: (path) => zk.sync(path),
  events: (path, options) => zk.events(path, options),
  countDescendants: (path) => zk.countDescendants(path),
  session: zk.session,
  chroot: zk.chroot
})

const masked = (entry: Acl.Acl): Acl.Acl =>
  entry.scheme === "digest" ? { ...entry, id: `${entry.id.replace(/:.*$/s, "")}:x` } : entry

/** Data of a few large znodes could fill the disk. */
const checkSize = (fs: FileSystem.FileSystem, folder: string, path: string) =>
  Effect.gen(function* () {
    let bytes = 0
    for (const name of yield* fs.readDirectory(folder)) {
      const size = yield* Effect.option(Effect.map(fs.stat(`${folder}/${name}`), ({ size }) => Number(size)))
      if (size._tag === "Some") bytes += size.value
    }
    if (bytes > limits.exportedBytes) {
      yield* tooMuch(`the file of ${path} has more than ${limits.exportedBytes} bytes`, "that")
    }
  })

const tooMuch = (found: string, most: string): Effect.Effect<never, Refused> =>
  Effect.fail(
    new Refused({ reason: "tooMuch", message: `${found}, and the console exports ${most} at most; use \`zk backup\`` })
  )
