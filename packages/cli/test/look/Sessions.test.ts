/** The sessions, as servers tell them. */
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import * as FourLetterWords from "../../src/FourLetterWords.ts"
import { sessionsOf } from "../../src/internal/look/sessions.ts"
import { listening } from "../support/sockets.ts"
import { describeOnServers, run } from "../support/zk.ts"

const items = (out: string) =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Schema.decodeUnknownSync(Schema.fromJsonString(Output.Session))(line))

describeOnServers("zk sessions", (it) => {
  it.inChroot("shows the connection of a session, in text and in JSON", function* ({ another, run, servers, zk }) {
    const other = yield* another()
    yield* other.create("/e", { mode: "ephemeral" })
    const { code, err, out } = yield* run(["sessions", "--ndjson"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    const found = items(out)
    const mine = found.find(({ session }) => session === zk.session.id)
    assert.deepInclude(mine, { server: servers, timeout: zk.session.timeout, queued: 0 })
    assert.match(mine?.client ?? "", /^127\.0\.0\.1:\d+$/)
    const text = yield* run(["sessions", "--session", Output.formatHex(other.session.id)])
    assert.match(
      text.out,
      new RegExp(
        String.raw`^SESSION +SERVER +CLIENT +CONNECTED +TIMEOUT +HEARD +EPHEMERALS +QUEUED +LAST\n${Output.formatHex(other.session.id)} +${servers} +127\.0\.0\.1:\d+ +\S+ +\S+ +(-|\d+s ago) +(1|-) +0 +\S+\n$`
      )
    )
    const none = yield* run(["sessions", "--session", "0x1", "--json"])
    assert.deepStrictEqual([none.code, none.out, none.err], [0, "[]\n", ""])
    const unknown = yield* run(["sessions", "--session", "0x1"])
    assert.deepStrictEqual([unknown.code, unknown.out, unknown.err], [0, "", `no session 0x1 on ${servers}\n`])
  })

  it.inChroot("has the most important columns in a narrow window", function* ({ run, zk }) {
    const { err, out } = yield* run(["sessions", "--session", Output.formatHex(zk.session.id)], { terminal: "" })
    const [header = "", row = ""] = out.split("\n")
    assert.match(header, /^SESSION +SERVER +CLIENT +/, err)
    assert.notInclude(header, "QUEUED")
    assert.isAtMost(Math.max(header.length, row.length), 80)
  })

  it.inChroot("prints the answers, and names the servers that have not answered", function* ({ run, servers, zk }) {
    const some = yield* run(["sessions", "--ndjson", "--servers", `${servers},127.0.0.1:1`])
    assert.isTrue(items(some.out).some(({ session }) => session === zk.session.id))
    assert.strictEqual(some.code, 1)
    assert.match(some.err, /^zk: 127\.0\.0\.1:1: .*\n.*"1 of 2 servers did not answer cons"/)
    const none = yield* run(["sessions", "--servers", "127.0.0.1:1"])
    assert.deepStrictEqual([none.code, none.out], [5, ""])
    assert.match(none.err, /^zk: .*127\.0\.0\.1:1.*\n$/)
    const { code } = yield* run(["sessions", "--session", "ann"])
    assert.strictEqual(code, 2)
  })
})

const cons = ` /127.0.0.1:40416[1](queued=0,recved=3,sent=4,sid=0x1000000a5b20001,lop=PING,est=1638200000000,to=10000)
 /127.0.0.1:40420[0](queued=0,recved=1,sent=0)
 host/10.0.0.7:5[1](queued=2,recved=1,sent=0,sid=0xffffffffffffffff,to=4000)
`

const dump = (ephemerals: string) => `SessionTracker dump:
Session Sets (2)/(2):
1 expire at Mon Nov 29 09:00:00 UTC 2026:
\t0x1000000a5b20001
1 expire at Mon Nov 29 09:00:02 UTC 2026:
\t0x1000000a5b20002
ephemeral nodes dump:
Sessions with Ephemerals (1):
0x1000000a5b20001:
${ephemerals}Connections dump:
Connections Sets (1)/(1):
1 expire at Mon Nov 29 09:00:00 UTC 2026:
\tip: /127.0.0.1:40416 sessionId: 0x1000000a5b20001
`

/** Of a client that is well, of one that hangs, and of one that was not answered yet. */
const hanging = [
  "10.0.0.1:1[1](queued=0,recved=9,sent=9,sid=0x1,lop=PING,est=1638200000000,to=10000,lresp=90000,llat=0)",
  "10.0.0.2:1[1](queued=0,recved=9,sent=9,sid=0x2,lop=CREA,est=1638200000001,to=10000,lresp=83000,llat=0)",
  "10.0.0.3:1[1](queued=0,recved=9,sent=9,sid=0x3,lop=PING,est=1638200000002,to=10000,lresp=87000,llat=0)",
  "10.0.0.4:1[1](queued=0,recved=0,sent=0,sid=0x4,lop=null,est=1638200000003,to=10000,lresp=0,llat=0)"
]
  .map((line) => ` /${line}\n`)
  .join("")

/** Answers `cons` and `dump` as soon as both have been asked. */
const answeringBoth = (cons: string) =>
  Effect.suspend(() => {
    const asked = new Map<string, Net.Socket>()
    return listening((socket) =>
      socket.once("data", (word) => {
        asked.set(word.toString().trim(), socket)
        if (asked.size < 2) return
        asked.get("cons")?.end(cons)
        asked.get("dump")?.end(dump("\t/a\n"))
      })
    )
  })

describe("the words of servers about sessions", () => {
  itLive("are asked at the same time, so that a server that hangs is waited for once", function* () {
    const server = yield* answeringBoth(cons)
    const { code, err, out } = yield* run(["sessions", "-s", server, "--session", "0x1000000a5b20001", "--ndjson"])
    assert.strictEqual(code, 0, err)
    assert.deepInclude(items(out)[0], { client: "127.0.0.1:40416", ephemerals: 1 })
  })

  itLive("tell since when a session was not heard, and which is late", function* () {
    const server = yield* answeringBoth(hanging)
    const found = items((yield* run(["sessions", "-s", server, "--ndjson"])).out)
    const unheard = new Map(found.map(({ session, unheard }) => [session, unheard]))
    assert.deepStrictEqual(
      [1n, 2n, 3n, 4n].map((session) => unheard.get(session)),
      [undefined, 7000, 3000, undefined]
    )
    const again = yield* answeringBoth(hanging)
    const { out } = yield* run(["sessions", "-s", again])
    const row = (session: string) => out.split("\n").find((line) => line.startsWith(`${session} `)) ?? ""
    assert.match(row("0x1"), / 10s +- +- +0 +PING$/)
    assert.match(row("0x2"), / 10s +7s ago, late +- +0 +CREA$/)
    assert.match(row("0x3"), / 10s +3s ago +- +0 +PING$/)
    assert.match(row("0x4"), / 10s +- +- +0 +-$/)
  })

  it("are read together, without the connection of the question itself", () => {
    const connections = Result.getOrThrow(FourLetterWords.parse("cons", cons))
    const dumpOf = (ephemerals: string) => Result.getOrThrow(FourLetterWords.parse("dump", dump(ephemerals)))
    const found = sessionsOf([
      { server: "zk1:2181", connections, dump: dumpOf("\t/a\n\t/b\n") },
      { server: "zk2:2181", connections: [], dump: dumpOf("\t/a\n") },
      { server: "zk3:2181", connections: [], dump: undefined }
    ])
    assert.deepStrictEqual(found, [
      {
        session: 0x1000000a5b20001n,
        ephemerals: 2,
        server: "zk1:2181",
        client: "127.0.0.1:40416",
        connected: 1_638_200_000_000,
        timeout: 10_000,
        queued: 0,
        received: 3,
        sent: 4,
        lastOperation: "PING"
      },
      { session: 0x1000000a5b20002n, ephemerals: 0 },
      { session: -1n, server: "zk1:2181", client: "10.0.0.7:5", timeout: 4000, queued: 2, received: 1, sent: 0 }
    ])
  })
})
