/** `zk 4lw`: words asked of each server, in the form of the server and as JSON. */
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inFlags } from "../../src/internal/output/flagNames.ts"
import { listening } from "../support/sockets.ts"
import { describeOnServers, run } from "../support/zk.ts"

describeOnServers("zk 4lw", (it) => {
  it.inChroot("prints the answer as the server writes it", function* ({ run }) {
    const { code, err, out } = yield* run(["4lw", "srvr"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.match(out, /^Zookeeper version: 3\..*\nLatency min\/avg\/max: (.*\n){6,}Node count: \d+\n$/)
    assert.strictEqual((yield* run(["4lw", "ruok"])).out, "imok\n")
  })

  it.inChroot("names the fields of the answer with --json", function* ({ run, servers, zk }) {
    yield* zk.create("/watched")
    const { changed } = yield* zk.getAndWatch("/watched")
    yield* Effect.forkScoped(changed)
    const json = (word: string) => Effect.map(run(["4lw", word, "--json"]), ({ out }) => JSON.parse(out)[0])
    const srvr = yield* json("srvr")
    assert.deepInclude(srvr, { server: servers, word: "srvr" })
    assert.strictEqual(srvr.answer.mode, "standalone")
    assert.match(srvr.answer.zxid, /^0x[0-9a-f]+$/)
    const session = `0x${BigInt.asUintN(64, zk.session.id).toString(16)}`
    const { answer: connections } = yield* json("cons")
    assert.deepInclude(
      connections.find((connection: { readonly session?: string }) => connection.session === session),
      { sessionTimeout: zk.session.timeout }
    )
    assert.isAtLeast((yield* json("mntr")).answer.watchCount, 1)
    assert.isAtLeast((yield* json("wchs")).answer.watches, 1)
    assert.strictEqual((yield* json("isro")).answer, "rw")
    assert.isAbove((yield* json("conf")).answer.tickTime, 0)
    assert.isString((yield* json("envi")).answer["zookeeper.version"])
  })

  it.inChroot("lists sessions, their ephemeral znodes and their watches", function* ({ chroot, run, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    const { changed } = yield* zk.getAndWatch("/e")
    yield* Effect.forkScoped(changed)
    const session = `0x${BigInt.asUintN(64, zk.session.id).toString(16)}`
    const json = (word: string) => Effect.map(run(["4lw", word, "--json"]), ({ out }) => JSON.parse(out)[0].answer)
    const dump = yield* json("dump")
    assert.include(dump.sessions, session)
    assert.deepInclude(dump.ephemerals, { session, paths: [`${chroot}/e`] })
    assert.deepInclude(yield* json("wchp"), { path: `${chroot}/e`, sessions: [session] })
    assert.deepInclude(yield* json("wchc"), { session, paths: [`${chroot}/e`] })
  })

  it.inChroot("asks each server, and ends with 1 where some of them have no answer", function* ({ run, servers }) {
    const both = ["-s", `${servers},127.0.0.1:1`]
    const { code, err, out } = yield* run(["4lw", "ruok", ...both])
    assert.deepStrictEqual({ code, out }, { code: 1, out: `${servers}:\nimok\n` })
    assert.match(err, /^zk: 127\.0\.0\.1:1: could not connect .*\nzk: 1 of 2 servers did not answer ruok\n$/)
    const none = yield* run(["4lw", "ruok", "-s", "127.0.0.1:1,127.0.0.1:2"])
    assert.strictEqual(none.code, 5)
    assert.match(none.err, /^zk: 127\.0\.0\.1:2: could not connect .*\nzk: 127\.0\.0\.1:1: could not connect .*\n$/)
    const items = JSON.parse((yield* run(["4lw", "ruok", ...both, "--json"])).out)
    assert.deepInclude(items[0], { answer: "imok" })
    assert.match(items[1].problem, /could not connect/)
  })

  it.inChroot("does not wait for a server that hangs", function* ({ run, servers }) {
    const [host = "", port] = servers.split(":")
    const proxy = yield* FaultProxy.make({ host, port: Number(port) })
    yield* proxy.blackHole("both")
    const { code, err } = yield* run(["4lw", "srvr", "-s", proxy.connectString, "--within", "300ms"])
    assert.deepStrictEqual(
      { code, err },
      {
        code: 5,
        err: `zk: ${proxy.connectString}: no answer to srvr within 300ms: the server hangs, or its port is for TLS\n`
      }
    )
  })

  it.inChroot("does not reset statistics with --read-only", function* ({ run }) {
    const { code, err } = yield* run(["4lw", "srst", "--read-only"])
    assert.deepStrictEqual(
      { code, err },
      { code: 6, err: "zk: 4lw srst was not sent, because --read-only allows no writes\n" }
    )
  })
})

/** Answers every connection with this, and closes it. */
const answering = (answer: string) => listening((socket) => socket.once("data", () => socket.end(answer)))

describe("zk 4lw, where a server refuses the word", () => {
  itLive("names the setting that allows it, and ends with 6", function* () {
    const server = yield* answering("mntr is not executed because it is not in the whitelist.\n")
    const { code, err } = yield* run(["4lw", "mntr", "-s", server])
    assert.deepStrictEqual(
      { code, err },
      {
        code: 6,
        err: `zk: ${server}: the word mntr is not allowed there; add it to 4lw.commands.whitelist in zoo.cfg\n`
      }
    )
  })

  itLive("tells a server without a quorum from one that does not know the word", function* () {
    const idle = yield* answering("This ZooKeeper instance is not currently serving requests\n")
    assert.match((yield* run(["4lw", "srvr", "-s", idle])).err, /serves no requests now/)
    const silent = yield* answering("")
    const { code, err } = yield* run(["4lw", "srvr", "-s", silent])
    assert.strictEqual(code, 5)
    assert.match(err, /no answer to srvr: the server does not know it, or its port is for TLS/)
    const other = yield* answering("hello\n")
    const json = yield* run(["4lw", "srvr", "-s", other, "--json"])
    assert.strictEqual(json.code, 1)
    assert.include(JSON.parse(json.err).error.message, "is not one of ZooKeeper")
  })

  itLive("names a server of another protocol in all commands, and ends with 5", function* () {
    const http = yield* answering("HTTP/1.1 400 Bad Request\r\n\r\n")
    for (const command of [["4lw", "srvr"], ["4lw", "ruok"], ["status"], ["health"], ["doctor", "--no-tree"]]) {
      const { code, err, out } = yield* run([...command, "-s", http])
      assert.strictEqual(code, 5, command.join(" "))
      assert.include(err + out, "no ZooKeeper server is at this port: it speaks HTTP", command.join(" "))
      assert.notInclude(out, "Bad Request")
    }
    const tls = yield* answering("\u0015\u0003\u0003\u0000\u0002\u0002\u0028")
    assert.match((yield* run(["4lw", "ruok", "-s", tls])).err, /or its port is for TLS\n$/)
    const many = "220 connections watching 3 paths\nTotal watches:5\n"
    assert.strictEqual((yield* run(["4lw", "wchs", "-s", yield* answering(many)])).out, many)
  })

  itLive("says in doctor that a name does not resolve, and nothing of encryption there", function* () {
    const { code, out } = yield* run(["doctor", "-s", "no-such-host.invalid:2181", "--no-tree"])
    assert.strictEqual(code, 5)
    assert.match(out, /^error +no-such-host\.invalid:2181: the host name could not be resolved.*\n +correct the name/)
    assert.notInclude(out, "encrypted")
  })

  it("names the flags of the command line where the client names its options", () => {
    assert.strictEqual(
      inFlags("tls.ca:2281: the server's certificate is self-signed and not in tls.ca; speaks only TLS (tls://)"),
      "tls.ca:2281: the server's certificate is self-signed and not in --ca; speaks only TLS (--tls)"
    )
  })

  itLive("shows no control characters of a server", function* () {
    const server = yield* answering("\u001b[31m red\u0007\n")
    assert.strictEqual((yield* run(["4lw", "srvr", "-s", server])).out, "\\u001b[31m red\\u0007\n")
  })

  itLive("knows which words there are", function* () {
    const { code, err } = yield* run(["4lw", "nope"])
    assert.strictEqual(code, 2)
    assert.include(err, "nope")
  })
})
