/** The small modules that programs can use: forms of data, quotas, profiles, exit codes, and numbers as people write them. */
import { BadVersion, NoNode, ServerRefused } from "@effect-zookeeper/client"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import * as Zlib from "node:zlib"
import * as ExitCode from "../../src/ExitCode.ts"
import * as Output from "../../src/Output.ts"
import * as Profile from "../../src/Profile.ts"
import * as Quota from "../../src/Quota.ts"
import * as ZnodeData from "../../src/ZnodeData.ts"
import { parseDuration, parseSize } from "../../src/internal/frame/durations.ts"
import { size } from "../../src/internal/output/text.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("the data of a znode", () => {
  it("has a kind", () => {
    assert.strictEqual(ZnodeData.kindOf(new Uint8Array()), "empty")
    assert.strictEqual(ZnodeData.kindOf(bytes("text\tand\nlines é")), "text")
    assert.strictEqual(ZnodeData.kindOf(bytes("bell\u0007")), "binary")
    assert.strictEqual(ZnodeData.kindOf(new Uint8Array([0xff])), "binary")
    assert.strictEqual(ZnodeData.kindOf(new Uint8Array(Zlib.gzipSync("x"))), "gzip")
  })

  it.effect("is not uncompressed beyond a limit", () =>
    Effect.gen(function* () {
      const packed = new Uint8Array(Zlib.gzipSync(new Uint8Array(100_000)))
      assert.strictEqual((yield* ZnodeData.gunzip(packed)).length, 100_000)
      const error = yield* Effect.flip(ZnodeData.gunzip(packed, 1000))
      assert.strictEqual(error._tag, "BadData")
      assert.include(inspect(error), `BadData: ${error.message}\n    at `)
    })
  )
})

describe("JSON that is indented", () => {
  const json = (text: string) => ZnodeData.render(bytes(text), "json")

  it.effect("has the numbers, keys and escapes of the data, in their order", () =>
    Effect.gen(function* () {
      const text =
        '{"id":72057594037927937,"v":1.0, "b":1e400,\n"1":-0,"b":"\\u00e9 \\"{[,:\\\\","n":[null,true,[]],"e":{ }}'
      const indented = [
        "{",
        '  "id": 72057594037927937,',
        '  "v": 1.0,',
        '  "b": 1e400,',
        '  "1": -0,',
        '  "b": "\\u00e9 \\"{[,:\\\\",',
        '  "n": [',
        "    null,",
        "    true,",
        "    []",
        "  ],",
        '  "e": {}',
        "}",
        ""
      ]
      assert.strictEqual(yield* json(text), indented.join("\n"))
      assert.strictEqual(yield* json(' "a b" '), '"a b"\n')
      assert.strictEqual(yield* json("9007199254740993"), "9007199254740993\n")
      assert.strictEqual(yield* json(indented.join("\n")), indented.join("\n"))
    })
  )

  it.effect("is refused where the data is not JSON, or nested so deeply that the indents are too long", () =>
    Effect.gen(function* () {
      for (const wrong of ["", "{", '{"a":1,}', "[1 2]", "{'a':1}"]) {
        assert.include((yield* Effect.flip(json(wrong))).message, "not JSON", wrong)
      }
      const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`
      assert.include((yield* Effect.flip(json(deep))).message, "--as text shows it")
    })
  )
})

describe("the text of a quota", () => {
  it("is read in the forms of all versions", () => {
    const none = { count: undefined, bytes: undefined, hardCount: undefined, hardBytes: undefined }
    assert.deepStrictEqual(Quota.parse("count=5,bytes=-1"), { ...none, count: 5 })
    assert.deepStrictEqual(Quota.parse("count=5,bytes=10=;byteHardLimit=20;countHardLimit=-1"), {
      ...none,
      count: 5,
      bytes: 10,
      hardBytes: 20
    })
    assert.deepStrictEqual(Quota.parse(""), none)
    assert.strictEqual(Quota.limitsPath("/"), "/zookeeper/quota/zookeeper_limits")
  })
})

describe("a file of profiles", () => {
  it("has tables with known keys", () => {
    const profiles = Profile.parse('[a]\nservers = "zk1"\nreadOnly = true\n[a.tls]\nca = "ca.pem"\n[b]\ntls = true\n')
    assert.deepStrictEqual(Result.getOrThrow(profiles), {
      a: { servers: "zk1", readOnly: true, tls: { ca: "ca.pem" } },
      b: { tls: true }
    })
    for (const wrong of ["[a", "[a]\npassword = 'x'\n", "[a]\nservers = 1\n"]) {
      assert.isTrue(Result.isFailure(Profile.parse(wrong)), wrong)
    }
  })

  it("may have a list of servers", () => {
    const profiles = Profile.parse('[a]\nservers = ["zk1:2181", "zk2:2181/app"]\n')
    assert.deepStrictEqual(Result.getOrThrow(profiles), { a: { servers: "zk1:2181,zk2:2181/app" } })
    assert.isTrue(Result.isFailure(Profile.parse('[a]\nservers = ["zk1:2181", 2]\n')))
  })

  it("is told the keys that there are, and the nearest one", () => {
    const message = (text: string) => Result.getOrThrow(Result.flip(Profile.parse(text))).message
    const keys = "servers, chroot, authFile, tls, readOnly, timeout, maxBuffer"
    const unknown = (key: string, hint: string) =>
      `has a mistake: [a] has an unknown key, "${key}"${hint} The keys are ${keys}`
    assert.strictEqual(message('[a]\nsever = "zk1"\n'), unknown("sever", ": did you mean servers?"))
    assert.strictEqual(message("[a]\nread-only = true\n"), unknown("read-only", ": did you mean readOnly?"))
    assert.strictEqual(message('[a]\nca = "ca.pem"\n'), unknown("ca", ": ca is a key of [a.tls]."))
    assert.strictEqual(message("[a]\npassword = 'x'\n"), unknown("password", "."))
    assert.strictEqual(
      message('[a.tls]\ncrt = "me.pem"\n'),
      'has a mistake: [a.tls] has an unknown key, "crt": did you mean cert? The keys are ca, cert, key, servername'
    )
    assert.strictEqual(
      message('servers = "zk1"\n'),
      'has a mistake: "servers" is in no profile; write the header of one above it, such as [default]'
    )
  })
})

describe("exit codes", () => {
  it("are those of the errors", () => {
    const subject = { path: "/a", operation: "getData" }
    assert.strictEqual(ExitCode.of(new NoNode(subject)), 3)
    assert.strictEqual(ExitCode.of(new BadVersion(subject)), 4)
    assert.strictEqual(ExitCode.of(new ServerRefused({ ...subject, code: -119, name: "NotReadOnly" })), 5)
    assert.strictEqual(ExitCode.of(new ServerRefused({ ...subject, code: -6, name: "Unimplemented" })), 1)
    assert.strictEqual(ExitCode.of(new Error("any")), 1)
  })
})

describe("numbers as people write them", () => {
  it.effect("are durations, sizes and times", () =>
    Effect.gen(function* () {
      const millis = (text: string) => Effect.map(parseDuration("--older", text), String)
      assert.strictEqual(yield* millis("1500ms"), yield* millis("1.5s"))
      assert.strictEqual(yield* millis("0"), yield* millis("0s"))
      assert.strictEqual(yield* millis("2 hours"), yield* millis("120m"))
      assert.strictEqual(yield* millis("1d"), yield* millis("24h"))
      assert.strictEqual(yield* parseSize("--larger", "4KiB"), 4096)
      assert.strictEqual(yield* parseSize("--larger", "1m"), 1_048_576)
      for (const wrong of ["", "-1", "1 fortnight", "1e9x", "30", "0.5"]) {
        assert.strictEqual((yield* Effect.flip(parseDuration("--older", wrong)))._tag, "UsageError", wrong)
      }
      assert.deepStrictEqual([0, 1023, 1024, 1_572_864].map(size), ["0", "1023", "1.0K", "1.5M"])
      assert.strictEqual(Output.formatHex(-1n), "0xffffffffffffffff")
      assert.strictEqual(Output.formatTime(Number.MAX_VALUE), String(Number.MAX_VALUE))
    })
  )
})
