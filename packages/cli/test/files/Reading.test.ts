/** The line that says how far the reading of large files has come. */
import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { adler32 } from "../../../storage/src/internal/bytes/adler32.ts"
import { int, long, text } from "../../../storage/test/support/fields.ts"
import { at, stats } from "../../src/internal/files/log.ts"
import { Client, make as makeClient } from "../../src/internal/frame/Client.ts"
import { openTree } from "../../src/internal/files/openTree.ts"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { logOf } from "../support/logs.ts"
import { settingsOf } from "../support/settings.ts"

/** A snapshot of three znodes, of which one has these bytes of data. */
const snapshotOf = (size: number) => {
  const znode = (path: string, data: Uint8Array) =>
    Buffer.concat([text(path), int(data.length), data, long(-1), Buffer.alloc(60)])
  const parts = [Buffer.from("ZKSN"), int(2), long(-1), int(0), int(0)]
  const znodes = [znode("", Buffer.alloc(0)), znode("/a", Buffer.alloc(size)), znode("/b", Buffer.alloc(0))]
  const contents = Buffer.concat([...parts, ...znodes, text("/")])
  return new Uint8Array(Buffer.concat([contents, long(adler32(contents)), text("/")]))
}

/** A disk from which a chunk of a tenth of a file comes each second. */
const slowDisk = (files: Readonly<Record<string, Uint8Array>>) => {
  const infoOf = (type: "File" | "Directory", size: number): FileSystem.File.Info => ({
    type,
    size: ByteSize.bytes(size),
    mtime: Option.none(),
    atime: Option.none(),
    birthtime: Option.none(),
    dev: 0n,
    ino: Option.none(),
    mode: 0,
    nlink: Option.none(),
    uid: Option.none(),
    gid: Option.none(),
    rdev: Option.none(),
    blksize: Option.none(),
    blocks: Option.none()
  })
  return FileSystem.layerNoop({
    readDirectory: (folder) =>
      Effect.succeed(
        Object.keys(files).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []))
      ),
    stat: (path) =>
      Effect.succeed(files[path] === undefined ? infoOf("Directory", 0) : infoOf("File", files[path].length)),
    stream: (path) => {
      const bytes = files[path]!
      const step = Math.ceil(bytes.length / 10)
      return Stream.range(0, 9).pipe(
        Stream.mapEffect((index) =>
          Effect.as(Effect.sleep("1 second"), bytes.subarray(index * step, (index + 1) * step))
        )
      )
    }
  })
}

/** The text that a terminal gets from a command in the seconds that it takes; `<` erases the line. */
const shown = <E>(
  command: Effect.Effect<unknown, E, Client | FileSystem.FileSystem | Printer>,
  files: Readonly<Record<string, Uint8Array>>,
  seconds: number
) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const isTerminal = Effect.succeed(true)
    const sink = () => Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => texts.push(String(chunk))))
    const stdio = Stdio.make({
      args: Effect.succeed([]),
      stdinIsTerminal: isTerminal,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      stdout: sink,
      stderr: sink,
      stdin: Stream.empty
    })
    const printer = yield* Effect.provideService(makePrinter("text", false), Stdio.Stdio, stdio)
    const fiber = yield* Effect.forkChild(
      command.pipe(
        Effect.provideService(Client, makeClient(settingsOf("localhost:2181"))),
        Effect.provideService(Printer, printer),
        Effect.provide(slowDisk(files))
      )
    )
    for (let step = 0; step < seconds * 4; step++) yield* TestClock.adjust("250 millis")
    yield* Fiber.join(fiber)
    return texts.join("").replaceAll("\r\u001b[K", "<").split("<")
  })

const all = { from: undefined, to: undefined }

describe("the progress of reading files", () => {
  it.effect("is their bytes, with the rate and the time that is left: of a log", () =>
    Effect.gen(function* () {
      const files = { "/log.1": logOf(1, 50_000) }
      const lines = yield* shown(stats({ file: "/log.1", ...all }), files, 11)
      assert.include(lines, "read 1.2M of 2.3M, 239.3K/s, 5 s left")
      assert.include(lines.at(-1), "transactions   50000")
    })
  )

  it.effect("is of all logs that are read", () =>
    Effect.gen(function* () {
      const files = {
        "/data/log.1": logOf(1, 1000),
        "/data/log.3e9": logOf(1001, 1000),
        "/data/log.7d1": logOf(2001, 1000)
      }
      const lines = yield* shown(stats({ file: "/data", from: "0x3f0", to: undefined }), files, 21)
      assert.isTrue(
        lines.some((line) => line.startsWith("read 47.9K of 95.7K, ")),
        lines.join("\n")
      )
      const last = yield* shown(stats({ file: "/data", from: undefined, to: "0x1f4" }), files, 11)
      assert.isTrue(
        last.some((line) => line.includes(" of 47.9K, ")),
        last.join("\n")
      )
    })
  )

  it.effect("has no time that is left where it is not known how many logs will be read", () =>
    Effect.gen(function* () {
      const files = { "/data/log.1": logOf(1, 1000), "/data/log.3e9": logOf(1001, 1000) }
      const to = "1970-01-01T00:10:00Z"
      const lines = yield* shown(stats({ file: "/data", from: undefined, to }), files, 11)
      assert.isTrue(
        lines.some((line) => /^read \S+K, \S+K\/s$/.test(line)),
        lines.join("\n")
      )
      assert.isFalse(
        lines.some((line) => line.includes("left")),
        lines.join("\n")
      )
    })
  )

  it.effect("is of a snapshot, and of a data directory with the logs after it", () =>
    Effect.gen(function* () {
      const files = {
        "/data/snapshot.1": snapshotOf(50_000),
        "/data/snapshot.64": snapshotOf(100_000),
        "/data/log.1": logOf(1, 100),
        "/data/log.65": logOf(101, 1000)
      }
      const ofSnapshot = yield* shown(openTree("/data/snapshot.64", undefined), files, 11)
      assert.isTrue(
        ofSnapshot.some((line) => /^read 58\.\dK of 97\.\dK, 9\.\dK\/s, 5 s left$/.test(line)),
        ofSnapshot.join("\n")
      )
      const ofDirectory = yield* shown(openTree("/data", undefined), files, 31)
      assert.isTrue(
        ofDirectory.some((line) => line.includes(" of 145.8K, ")),
        ofDirectory.join("\n")
      )
      const before = yield* shown(at({ file: "/data", logs: undefined, moment: "0x20" }), files, 31)
      assert.isTrue(
        before.some((line) => line.includes(" of 53.9K, ")),
        before.join("\n")
      )
      // The time is looked up first.
      const atTime = yield* shown(at({ file: "/data", logs: undefined, moment: "1970-01-01T00:00:32Z" }), files, 51)
      assert.isTrue(
        atTime.some((line) => /^read \S+K, /.test(line)),
        atTime.join("\n")
      )
      assert.isTrue(
        atTime.some((line) => line.includes(" of 53.9K, ")),
        atTime.join("\n")
      )
      assert.include(atTime.at(-1), "0x20")
    })
  )
})
