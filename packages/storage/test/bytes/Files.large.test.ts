/** A gigabyte of a snapshot and of a log: what reading them takes. */
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import { Snapshot, type Tree, type Znode } from "../../src/index.ts"
import { adler32 } from "../../src/internal/bytes/adler32.ts"
import { withFiles } from "../support/files.ts"
import type { Taken } from "../support/largeReader.ts"

const isLong = process.env["ZK_LONG"] === "1"

const megabytes = Number(process.env["ZK_MEGABYTES"] ?? 1000)
const count = megabytes * 1000
const data = new Uint8Array(1000).fill(65)

/** How often a file is read at most: the same work takes longer on a machine that does other work, too, and the least counts. */
const TIMES = 3

const znodeAt = (path: string): Znode.Znode => ({
  path,
  data,
  acl: [{ perms: 31, scheme: "world", id: "anyone" }],
  czxid: 1n,
  mzxid: 1n,
  pzxid: 1n,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  owner: 0n
})

/** A tree that is in no memory. */
const tree: Tree = {
  zxid: 1n,
  size: count,
  digest: 0n,
  get: () => undefined,
  children: () => new Set<string>(),
  *entries() {
    yield znodeAt("/")
    for (let upper = 0; upper < count / 1000; upper++) {
      yield znodeAt(`/n${upper}`)
      for (let lower = 1; lower < 1000; lower++) yield znodeAt(`/n${upper}/n${lower}`)
    }
  },
  sessions: new Map<bigint, number>()
}

/** Writes a log of changes of data. */
const writeLog = (file: string) => {
  const fd = Fs.openSync(file, "w")
  const header = Buffer.alloc(16)
  header.write("ZKLG")
  header.writeInt32BE(2, 4)
  Fs.writeSync(fd, header)
  for (let done = 0; done < count;) {
    const chunk = new JuteWriter(1 << 21)
    for (const end = Math.min(count, done + 1000); done < end;) {
      const record = new JuteWriter(2000)
      record.long(0x1000n)
      record.int(done)
      record.long(BigInt(++done))
      record.long(0n)
      record.int(5)
      record.ustring(`/n${done % 1000}`)
      record.buffer(data)
      record.int(done)
      const bytes = record.take()
      chunk.long(BigInt(adler32(bytes)))
      chunk.buffer(bytes)
      chunk.raw(Uint8Array.of(0x42))
    }
    Fs.writeSync(fd, chunk.take())
  }
  Fs.closeSync(fd)
}

/** A read of a file, and how many megabytes of it a second of work took. */
interface Read extends Taken {
  readonly rate: number
}

/** Reads a file until it is read at this rate, and gives all reads. */
const read = (kind: "snapshot" | "log", file: string, rate: number): ReadonlyArray<Read> => {
  const script = fileURLToPath(new URL("../support/largeReader.ts", import.meta.url))
  const size = Fs.statSync(file).size / 1000
  const reads: Array<Read> = []
  while (reads.length < TIMES && !reads.some((one) => one.rate > rate)) {
    const taken = JSON.parse(execFileSync(process.execPath, [script, kind, file], { encoding: "utf8" })) as Taken
    reads.push({ ...taken, rate: size / taken.millis })
  }
  return reads
}

const bestOf = (reads: ReadonlyArray<Read>): number => Math.max(...reads.map(({ rate }) => rate))

describe.runIf(isLong)(`files of ${megabytes} MB (in test:long only, for they are large)`, () => {
  it.live(
    "are read in bounded time and memory: a snapshot at 100 MB a second of work, a log at 200, in 200 MB",
    () =>
      Effect.gen(function* () {
        const folder = yield* TemporaryFolder.make("large-files-")
        const files = { snapshot: yield* Snapshot.write(folder, tree), log: `${folder}/log.1` }
        writeLog(files.log)
        const [snapshot, log] = [read("snapshot", files.snapshot, 100), read("log", files.log, 200)]
        yield* Effect.log({ snapshot, log })
        for (const { records } of snapshot) assert.isAtLeast(records, count)
        for (const { records } of log) assert.strictEqual(records, count)
        for (const { megabytes } of [...snapshot, ...log]) assert.isBelow(megabytes, 200)
        assert.isAbove(bestOf(snapshot), 100)
        assert.isAbove(bestOf(log), 200)
      }).pipe(Effect.scoped, withFiles),
    600_000
  )
})
