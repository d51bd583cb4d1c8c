import type * as InvalidArgument from "@effect-zookeeper/protocol/InvalidArgument"
import { ConnectString, type ServerAddress } from "@effect-zookeeper/transport"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const server = (host: string, port = 2181, scheme?: "tcp" | "tls"): ServerAddress.ServerAddress =>
  scheme === undefined ? { host, port } : { host, port, scheme }

const accepted: ReadonlyArray<[string, ReadonlyArray<ServerAddress.ServerAddress>, string]> = [
  ["zk1", [server("zk1")], "/"],
  ["zk1:2182", [server("zk1", 2182)], "/"],
  ["zk1:1", [server("zk1", 1)], "/"],
  ["zk1:65535", [server("zk1", 65535)], "/"],
  ["zk1:2181,zk2:2182,zk3", [server("zk1"), server("zk2", 2182), server("zk3")], "/"],
  ["  zk1 , zk2:2182\t,\nzk3  ", [server("zk1"), server("zk2", 2182), server("zk3")], "/"],
  ["zk1:2181/app", [server("zk1")], "/app"],
  ["zk1,zk2/app/a b:c", [server("zk1"), server("zk2")], "/app/a b:c"],
  ["zk1/", [server("zk1")], "/"],
  ["127.0.0.1:2181", [server("127.0.0.1")], "/"],
  ["[::1]", [server("::1")], "/"],
  ["[2001:db8::3]:2182,zk/app", [server("2001:db8::3", 2182), server("zk")], "/app"],
  ["[::ffff:10.0.0.1]:2181", [server("::ffff:10.0.0.1")], "/"],
  ["[fe80::1%eth0]:2181", [server("fe80::1%eth0")], "/"],
  ["tcp://zk1", [server("zk1", 2181, "tcp")], "/"],
  ["TLS://zk1:2281", [server("zk1", 2281, "tls")], "/"],
  [
    "tls://[::1]:2281, tcp://zk2,zk3/app",
    [server("::1", 2281, "tls"), server("zk2", 2181, "tcp"), server("zk3")],
    "/app"
  ],
  ["zk_1.example-x.org.", [server("zk_1.example-x.org.")], "/"],
  ["zöö.example", [server("zöö.example")], "/"],
  ["zk1,zk1", [server("zk1"), server("zk1")], "/"]
]

const refused: ReadonlyArray<[string, ReadonlyArray<string>]> = [
  ["", ["at least one server"]],
  [" \t ", ["at least one server"]],
  [",", ["a server is missing"]],
  ["zk1,", ["a server is missing"]],
  ["zk1,,zk2", ["a server is missing"]],
  ["zk1, ,zk2", ["a server is missing"]],
  ["/app", ["a server is missing"]],
  ["zk1,/app", ["a server is missing"]],
  [":2181", ["host is missing", '":2181"']],
  ["tcp://", ["host is missing", '"tcp://"']],
  ["tls://:2181", ["host is missing", '"tls://:2181"']],
  ["zk1:", ['""', "1 to 65535"]],
  ["zk1:0", ['"0"', "1 to 65535"]],
  ["zk1:65536", ['"65536"', "1 to 65535"]],
  ["zk1:2181x", ['"2181x"', "1 to 65535"]],
  ["zk1:-1", ['"-1"', "1 to 65535"]],
  ["zk1:1e3", ['"1e3"', "1 to 65535"]],
  ["zk1:999999999999", ['"999999999999"', "1 to 65535"]],
  ["zk1: 2181", ['" 2181"', "1 to 65535"]],
  ["ok:1,[::1]:x", ['"x"', "1 to 65535"]],
  ["[::1", ["not closed", '"[::1"']],
  ["[::1/app", ["not closed", '"[::1"']],
  ["[]:2181", ['""', "not an IPv6 address"]],
  ["[zk1]:2181", ['"zk1"', "not an IPv6 address"]],
  ["[1.2.3.4]", ['"1.2.3.4"', "not an IPv6 address"]],
  ["[1::2::3]", ['"1::2::3"', "not an IPv6 address"]],
  ["[::1]2181", ['"2181"', "after the bracket"]],
  ["::1", ["brackets", '"::1"']],
  ["2001:db8::3:2181,zk", ["brackets", '"2001:db8::3:2181"']],
  ["zk1:1:2", ["brackets", '"zk1:1:2"']],
  ["http://zk1:2181", ['"http"', "tcp:// or tls://"]],
  ["zk1,://zk2", ["unknown scheme"]],
  ["dns-srv://zk.example", ["stands for a whole list", "zk1:2181"]],
  ["zk1 zk2:2182", ["by a comma", '"zk1 zk2:2182"']],
  ["zk1;zk2", ["by a comma", '"zk1;zk2"']],
  ["zk1:2181; zk2:2181/app", ["by a comma"]],
  ["zk1|zk2", ["by a comma"]],
  ["zk!1", ['"zk!1"', "not a host name"]],
  ["zk1\u0000", ["not a host name"]],
  ["zk1/app/", ['bad chroot "/app/"']],
  ["zk1//app", ['bad chroot "//app"']],
  ["zk1/a/../b", ['bad chroot "/a/../b"']],
  ["zk1/a\u0001", ["bad chroot"]],
  ["zk1/app,zk2/app", ['"/app,zk2/app"', "after the last server"]]
]

const separators = [":", ",", "/", "//", "://", "[", "]", ".", " ", "%", "@"]

const pieces = ["zk", "1", "tcp", "tls", "::1", "2181", ...separators]

const connectStrings = Schema.Struct({
  servers: Schema.NonEmptyArray(
    Schema.Struct({
      host: Schema.Literals(["zk1", "zk-2.example.org", "10.0.0.1", "::1", "2001:db8::3", "fe80::1%eth0", "zöö"]),
      port: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 })),
      scheme: Schema.optionalKey(Schema.Literals(["tcp", "tls"]))
    })
  ),
  chroot: Schema.Literals(["/", "/app", "/a/b c:d", "/zookeeper"])
})

const refusal = (result: Result.Result<unknown, InvalidArgument.InvalidArgument>) =>
  Result.getOrThrow(Result.flip(result))

describe("ConnectString", () => {
  describe("parse", () => {
    for (const [text, servers, chroot] of accepted) {
      it(`reads ${JSON.stringify(text)}`, () => {
        assert.deepStrictEqual(Result.getOrThrow(ConnectString.parse(text)), {
          servers: servers as ConnectString.ConnectString["servers"],
          chroot
        })
      })
    }

    for (const [text, pieces] of refused) {
      it(`refuses ${JSON.stringify(text)}`, () => {
        const error = refusal(ConnectString.parse(text))
        assert.deepInclude({ ...error }, { _tag: "InvalidArgument", argument: "servers", value: text })
        for (const piece of pieces) assert.include(error.rule, piece)
      })
    }

    for (const text of [
      "user:hunter2@zk1",
      "user:hunter2@zk1:2181/app",
      "zk1,user:hunter2@zk2",
      "zk://user:hunter2@zk1:2181/app",
      "[user:hunter2@[::1]",
      "zk1:1;user:hunter2@zk2",
      "user:hunter2/x@zk1",
      "user:/hunter2@zk1",
      "user:p@hunter2@zk1",
      "user:a,hunter2@zk1",
      "user:a hunter2;x@zk1",
      "user:a,/hunter2@zk1",
      "tls://user:a/hunter2@zk1"
    ]) {
      it(`says where credentials belong, and repeats none, for ${JSON.stringify(text)}`, () => {
        const error = refusal(ConnectString.parse(text))
        assert.include(error.message, "the option auth")
        assert.include(error.message, "tcp://")
        assert.notInclude(JSON.stringify(error) + error.message, "hunter2")
      })
    }

    for (const [text, rule] of [
      ["zk1:99999/app@eu", "is not a port; a port is a number from 1 to 65535"],
      ["zk!1/app@eu", "is not a host name"],
      ["zk1/app@eu/", "bad chroot"],
      ["zk1/a\u0001pp@eu", "bad chroot"],
      ["http://zk1/app@eu", "use tcp:// or tls://"]
    ] as const) {
      it(`names the mistake beside an "@" of the chroot, and repeats nothing, for ${JSON.stringify(text)}`, () => {
        const error = refusal(ConnectString.parse(text))
        assert.include(error.rule, rule)
        assert.include(error.rule, "the option auth")
        for (const part of ["99999", "zk!1", "app", "0001"]) {
          assert.notInclude(JSON.stringify(error) + error.message, part)
        }
      })
    }

    it('reads a chroot that has an "@"', () => {
      assert.strictEqual(Result.getOrThrow(ConnectString.parse("zk1/app@eu")).chroot, "/app@eu")
    })

    it("repeats no value of a query", () => {
      const error = refusal(ConnectString.parse("zk://zk1?password=hunter2&backup=zk2"))
      assert.include(error.message, "tcp://")
      assert.notInclude(JSON.stringify(error) + error.message, "hunter2")
    })

    for (const [value, kind] of [
      [["zk1"], "Array"],
      [{ host: "zk1" }, "Object"],
      [2181, "number"],
      [new URL("tcp://zk1"), "URL"],
      [new Uint8Array(3), "Uint8Array"]
    ] as const) {
      it(`says that it must be a string, not ${kind}`, () => {
        const error = refusal(ConnectString.parse(value as never))
        assert.include(error.rule, "must be a string")
        assert.strictEqual(error.value, kind)
      })
    }

    it("escapes every character that could act on a terminal", () => {
      const error = refusal(ConnectString.parse("zk1\u001b[2J\u202e:2181"))
      assert.include(error.message, "zk1\\u001b[2J\\u202e")
    })

    it.prop("never throws, whatever the string", [Schema.String], ([text]) => {
      ConnectString.parse(text)
    })

    it.prop("never throws on what looks like a connect string", [Schema.Array(Schema.Literals(pieces))], ([parts]) => {
      const result = ConnectString.parse(parts.join(""))
      // A parsed string is written, and reads back the same.
      if (Result.isSuccess(result)) {
        assert.deepStrictEqual(ConnectString.parse(ConnectString.format(result.success)), result)
      }
    })

    it("takes time linear in the length", () => {
      const hostile = [
        "a".repeat(1_000_000),
        "a,".repeat(500_000),
        "[".repeat(1_000_000),
        "://".repeat(300_000),
        `zk1:${"9".repeat(1_000_000)}`,
        `[${":".repeat(1_000_000)}]`,
        `zk1/${"a/".repeat(500_000)}`
      ]
      const started = performance.now()
      for (const text of hostile) ConnectString.parse(text)
      // Quadratic time would be minutes.
      assert.isBelow(performance.now() - started, 5000)
    })
  })

  it.prop("format is undone by parse", [connectStrings], ([connectString]) => {
    assert.deepStrictEqual(Result.getOrThrow(ConnectString.parse(ConnectString.format(connectString))), connectString)
  })

  it("format brackets IPv6, names every port and leaves the root out", () => {
    const format = (text: string) => ConnectString.format(Result.getOrThrow(ConnectString.parse(text)))
    assert.strictEqual(format("[::1], tls://zk2:1/"), "[::1]:2181,tls://zk2:1")
    assert.strictEqual(format("zk1/app"), "zk1:2181/app")
  })
})

describe("parseSrv", () => {
  it("reads a name and a chroot, in both spellings of the scheme", () => {
    for (const scheme of ["dns+srv", "dns-srv", "DNS+SRV"]) {
      assert.deepStrictEqual(Result.getOrThrow(ConnectString.parseSrv(` ${scheme}://_zookeeper._tcp.example/app `)), {
        name: "_zookeeper._tcp.example",
        chroot: "/app"
      })
    }
    assert.deepStrictEqual(Result.getOrThrow(ConnectString.parseSrv("dns+srv://zk")), { name: "zk", chroot: "/" })
  })

  it("leaves lists of servers to parse", () => {
    assert.isUndefined(Result.getOrThrow(ConnectString.parseSrv("zk1:2181,zk2:2181/app")))
    assert.isUndefined(Result.getOrThrow(ConnectString.parseSrv(undefined as never)))
  })

  it("refuses ports, lists, and chroots that are not valid", () => {
    for (const text of ["dns+srv://", "dns+srv://zk:2181", "dns+srv://a,b", "dns+srv://zk/app/", "dns+srv://u:p@zk"]) {
      assert.notInclude(refusal(ConnectString.parseSrv(text)).message, "u:p@", text)
    }
    assert.isTrue(Result.isFailure(ConnectString.parse("dns+srv://zk")))
  })
})
