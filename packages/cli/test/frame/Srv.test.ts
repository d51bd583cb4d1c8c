/** Servers that an SRV record of DNS names. */
import { EmbeddedServer } from "@effect-zookeeper/server"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dgram from "node:dgram"
import * as Dns from "node:dns"
import { run } from "../support/zk.ts"

/** The answer to a question for an SRV record: these ports of localhost, or that there is no such name. */
const answer = (question: Buffer, ports: ReadonlyArray<number> | undefined): Buffer => {
  const end = question.indexOf(0, 12) + 5
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(ports === undefined ? 0x8183 : 0x8180, 2)
  head.writeUInt16BE(ports?.length ?? 0, 6)
  head.writeUInt32BE(0, 8)
  const target = Buffer.from("\u0009localhost\u0000")
  const records = (ports ?? []).map((port) => {
    const record = Buffer.alloc(18)
    // A pointer to the name of the question; SRV, IN, a minute.
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(33, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(60, 6)
    record.writeUInt16BE(6 + target.length, 10)
    record.writeUInt16BE(port, 16)
    return Buffer.concat([record, target])
  })
  return Buffer.concat([head, question.subarray(12, end), ...records])
}

/** A name server that knows one name, in place of those of the system. */
const dns = Effect.gen(function* () {
  const { connectString } = yield* EmbeddedServer.EmbeddedServer
  const port = Number(/:(\d+)$/.exec(connectString)?.[1])
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Dgram.Socket>((resume) => {
      const socket = Dgram.createSocket("udp4")
      socket.on("message", (question, { address, port: from }) => {
        const isKnown = question.includes("\u000a_zookeeper\u0004_tcp\u0007example\u0000")
        socket.send(answer(question, isKnown ? [port, 1] : undefined), from, address)
      })
      socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.close())
  )
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = Dns.promises.getServers()
      Dns.promises.setServers([`127.0.0.1:${socket.address().port}`])
      return before
    }),
    (before) => Effect.sync(() => Dns.promises.setServers(before))
  )
  return { port }
})

const withDns = testOn(it.live, EmbeddedServer.layer(), dns)
const servers = "dns+srv://_zookeeper._tcp.example"

describe("a list of servers in DNS", () => {
  withDns("is looked up by commands of the tree, below a chroot too", function* () {
    const at = (chroot: string, ...args: ReadonlyArray<string>) => run([...args, "-s", `${servers}${chroot}`])
    const created = yield* at("", "create", "/app/config", "x", "--parents")
    assert.deepStrictEqual([created.code, created.err], [0, ""])
    assert.strictEqual((yield* at("/app", "get", "/config")).out, "x")
    assert.strictEqual((yield* at("", "get", "/config", "--chroot", "/app")).out, "x")
    assert.strictEqual((yield* run(["ls", "/app"], { env: { ZK_SERVERS: servers } })).out, "config\n")
  })

  withDns("is looked up by commands that ask each member", function* ({ port }) {
    const status = JSON.parse((yield* run(["status", "-s", servers, "--json"])).out)
    assert.deepStrictEqual(
      status.members.map(({ server, state }: Readonly<Record<string, string>>) => `${server} ${state}`).toSorted(),
      ["localhost:1 unreachable", `localhost:${port} serving`].toSorted()
    )
    const health = yield* run(["health", "-s", servers, "--need", "any"])
    assert.strictEqual(health.code, 0, health.err + health.out)
  })

  withDns("that is not there, or no name, is said in a line", function* () {
    const unknown = "dns+srv://_other._tcp.example"
    for (const command of ["status", "ls"]) {
      const { code, err } = yield* run([command, "-s", unknown, "--timeout", "3s"])
      assert.strictEqual(code, 5, err)
      assert.match(err, /^zk: .*_other\._tcp\.example.*\n$/)
    }
    const { code, err } = yield* run(["ls", "-s", "dns+srv://a:2181"])
    assert.strictEqual(code, 2)
    assert.include(err, "after dns+srv:// comes one name and no port")
  })
})
