import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import { BackupFile, TreeSource, Znode } from "../../src/index.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"

const open = [{ perms: 31, scheme: "world", id: "anyone" }]

/** A tree with each kind of znode, and with data of each kind. */
const exampleTree = (): MutableTree => {
  const tree = MutableTree.initial(true)
  const add = (path: string, data: Uint8Array | null, owner: bigint, cversion = 0) =>
    tree.load({
      path,
      data,
      acl: path === "/b" ? [{ perms: 5, scheme: "digest", id: "bob:hash=" }, ...open] : open,
      czxid: -1n,
      mzxid: 0x100000002n,
      pzxid: 3n,
      ctime: 1_700_000_000_000,
      mtime: 1_700_000_000_001,
      version: 4,
      cversion,
      aversion: 5,
      owner
    })
  add("/a", new TextEncoder().encode('text "ä" \n'), 0n, 7)
  add("/a/binary", new Uint8Array([0xff, 0, 10]), 0n)
  add("/a/日本", new Uint8Array(0), Znode.containerOwner)
  add("/b", null, Znode.ttlOwner(60_000n))
  add("/c", new TextEncoder().encode("\ufeffmark"), 0x1234n)
  return tree
}

/** More of them than are read by default, if each takes six bytes. */
const controls = new Uint8Array(3_000_000)

const writeExample = (file: string) => BackupFile.write(file, TreeSource.fromTree(exampleTree()), { zxid: 0x2an })

const inFolder = <A, E, R>(run: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(TemporaryFolder.make("backup-"), run).pipe(Effect.scoped, withFiles)

describe("a backup file", () => {
  for (const name of ["tree.ndjson", "tree.ndjson.gz", "tree.snappy"]) {
    it.effect(`gives back every field of every znode (${name})`, () =>
      inFolder((folder) =>
        Effect.gen(function* () {
          const header = yield* writeExample(`${folder}/${name}`)
          assert.deepStrictEqual(yield* BackupFile.readHeader(`${folder}/${name}`), header)
          assert.deepStrictEqual(yield* BackupFile.verify(`${folder}/${name}`), header)
          assert.deepInclude(header, { path: "/", from: "0x2a", znodes: 6, ephemerals: 1 })
          const { error, records } = yield* collect(BackupFile.read(`${folder}/${name}`))
          const { records: expected } = yield* collect(TreeSource.fromTree(exampleTree()).entries)
          assert.isUndefined(error)
          for (const [index, entry] of expected.entries()) {
            const { children: _, digest: __, ...znode } = { children: 0, digest: 0, ...entry.znode }
            assert.deepStrictEqual(records[index], { ...entry, znode })
          }
          assert.strictEqual(records.length, expected.length)
        })
      )
    )
  }

  it.effect("has lines of the documented Schemas", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        yield* writeExample(`${folder}/tree.ndjson`)
        const lines = Fs.readFileSync(`${folder}/tree.ndjson`, "utf8").trimEnd().split("\n")
        const strict = { onExcessProperty: "error" } as const
        const decode = (schema: Schema.Decoder<unknown>, line: string | undefined) =>
          Schema.decodeUnknownSync(schema)(JSON.parse(line ?? ""), strict)
        decode(BackupFile.Header, lines[0])
        for (const line of lines.slice(1, -1)) {
          decode(BackupFile.Record, line)
          // As JSON writes it, with the same escapes and in the same order.
          assert.strictEqual(JSON.stringify(JSON.parse(line)), line)
        }
        decode(BackupFile.End, lines.at(-1))
      })
    )
  )

  it.effect("is read with the default options, whatever characters the data of a large znode has", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const tree = exampleTree()
        const like = tree.get("/a")
        assert.isDefined(like)
        const data = [
          controls,
          new TextEncoder().encode('"\\\n'.repeat(1_000_000)),
          Buffer.from("日".repeat(1_000_000))
        ]
        for (const [index, bytes] of data.entries()) {
          tree.load({ ...like, path: `/a/${index}`, data: bytes })
        }
        yield* BackupFile.write(`${folder}/tree.ndjson`, TreeSource.fromTree(tree))
        const { error, records } = yield* collect(BackupFile.read(`${folder}/tree.ndjson`))
        assert.isUndefined(error)
        const found = new Map(records.map(({ znode }) => [znode.path, znode.data]))
        for (const [index, bytes] of data.entries()) {
          assert.isTrue(Buffer.from(bytes).equals(found.get(`/a/${index}`) ?? new Uint8Array(0)))
        }
      })
    )
  )

  it.effect("is not written of a source that has other znodes when it is read for the second time", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const source = TreeSource.fromTree(exampleTree())
        for (const [other, znodes] of [
          [Stream.take(source.entries, 4), 4],
          [Stream.concat(source.entries, source.entries), 12]
        ] as const) {
          let times = 0
          const entries = Stream.suspend(() => (times++ === 0 ? source.entries : other))
          const error = yield* Effect.flip(BackupFile.write(`${folder}/tree.ndjson.gz`, { ...source, entries }))
          assert.deepInclude(error, { _tag: "FileAccessError", action: "write" })
          assert.include(error.message, `it had 6 znodes at first, and ${znodes} when they were written`)
          assert.deepStrictEqual(Fs.readdirSync(folder), [])
        }
      })
    )
  )

  it.effect("of which any byte is wrong or missing is reported, and never read as another tree", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        for (const name of ["tree.ndjson", "tree.ndjson.gz", "tree.snappy"]) {
          const file = `${folder}/${name}`
          yield* writeExample(file)
          const bytes = new Uint8Array(Fs.readFileSync(file))
          const mutants: Array<readonly [string, Uint8Array]> = []
          for (let at = 0; at < bytes.length; at++) {
            mutants.push([`cut off at ${at}`, bytes.slice(0, at)])
            const wrong = bytes.slice()
            wrong[at] = (wrong[at] ?? 0) ^ (1 << (at % 8))
            mutants.push([`wrong at ${at}`, wrong])
          }
          for (const [what, mutant] of mutants) {
            const verified = yield* BackupFile.verify(file).pipe(withMemory({ [file]: mutant }), Effect.result)
            // The time and the flags in the head of gzip are no part of the contents.
            if (verified._tag === "Success") {
              assert.isTrue(name.endsWith(".gz"), what)
              assert.deepStrictEqual(Zlib.gunzipSync(mutant), Zlib.gunzipSync(bytes), what)
            } else assert.strictEqual(verified.failure._tag, "MalformedFile", what)
          }
        }
      })
    )
  )

  it.effect("of another kind, or an empty one, is refused with its place", () =>
    Effect.gen(function* () {
      const problemOf = (text: string) =>
        Effect.flip(BackupFile.verify("/x")).pipe(withMemory({ "/x": new TextEncoder().encode(text) }))
      assert.deepInclude(yield* problemOf("hello\n"), { problem: "Foreign", offset: 0 })
      assert.deepInclude(yield* problemOf("h".repeat(2_000_000)), { problem: "Foreign", offset: 0 })
      assert.deepInclude(yield* problemOf(""), { problem: "Truncated", offset: 0 })
    })
  )

  it.effect("with a znode that is not of its tree is refused, though its checksum is right", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        yield* writeExample(`${folder}/tree.ndjson`)
        const lines = Fs.readFileSync(`${folder}/tree.ndjson`, "utf8").trimEnd().split("\n")
        const header = lines[0]?.replace('"path":"/"', '"path":"/a"')
        const body = [header, ...lines.slice(2, -1)].map((line) => `${line}\n`).join("")
        const crc32 = Zlib.crc32(body).toString(16).padStart(8, "0")
        const text = `${body}${JSON.stringify({ end: lines.length - 3, crc32 })}\n`
        Fs.writeFileSync(`${folder}/other.ndjson`, text)
        yield* BackupFile.verify(`${folder}/other.ndjson`)
        const { error } = yield* collect(BackupFile.read(`${folder}/other.ndjson`))
        assert.deepInclude(error, { _tag: "MalformedFile", problem: "Corrupt", expected: 'a znode of "/a"' })
      })
    )
  )
})
