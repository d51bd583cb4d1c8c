/** `zk health`: a condition of the members, checked by words and by a session with each. */
import * as Canary from "@effect-zookeeper/cli/Canary"
import * as Diagnosis from "@effect-zookeeper/cli/Diagnosis"
import * as Acl from "@effect-zookeeper/client/Acl"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { health } from "../../src/internal/diagnose/health.ts"
import { Client, make as makeClient } from "../../src/internal/frame/Client.ts"
import { make as makePrinter, Printer } from "../../src/internal/output/Printer.ts"
import { settingsOf } from "../support/settings.ts"
import { describeOnServers, silentStdio } from "../support/zk.ts"

const isLong = process.env["ZK_LONG"] === "1"

const decode = (json: string) => Schema.decodeUnknownSync(Diagnosis.Health)(JSON.parse(json))

describe("a canary", () => {
  itEffect("refuses options that are no object, or that have an unknown key", function* () {
    for (const options of [null, 0, [], { writing: false }]) {
      const mistake = yield* Effect.flip(Canary.make({ host: "127.0.0.1", port: 1 }, options as never))
      assert.deepInclude({ ...mistake }, { _tag: "InvalidArgument", argument: "options" })
    }
  })
})

describeOnServers("zk health", (it) => {
  it.inChroot(
    "finds a server ready that answers a read, a write and a watch, and leaves nothing",
    function* ({ run, zk }) {
      const { code, err, out } = yield* run(["health"])
      assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
      const ms = String.raw`[\d.]+ ms +`
      assert.match(
        out,
        new RegExp(
          `^SERVER +STATE +MODE +CONNECT +READ +WRITE +WATCH\n127.0.0.1:\\d+ +ready +standalone +${ms}${ms}${ms}[\\d.]+ ms\n$`
        )
      )
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    }
  )

  it.inChroot("gives times with --json, and meets what a server by itself meets", function* ({ run, servers }) {
    for (const expected of ["alive", "ready", "leader"] as const) {
      const { code, out } = yield* run(["health", "--expect", expected, "--json"])
      assert.strictEqual(code, 0)
      const health = decode(out)
      assert.deepInclude(health, { healthy: true, expected, needed: 1 })
      const [member] = health.members
      assert.deepInclude(member, {
        server: servers,
        alive: true,
        ready: true,
        leader: true,
        readOnly: false,
        problems: []
      })
      for (const step of ["connect", "read", "write", "watch"] as const) assert.isAbove(member?.[step] ?? 0, 0)
    }
    const readOnly = yield* run(["health", "--expect", "read-only"])
    assert.strictEqual(readOnly.code, 1)
    assert.strictEqual(readOnly.err, `zk: expected 1 of 1 member to be read-only, found 0: ${servers} is standalone\n`)
  })

  it.inChroot("ends with 1 where members are missing, unless fewer are needed", function* ({ run, servers }) {
    const two = ["health", "-s", `${servers},127.0.0.1:1`]
    const { code, err, out } = yield* run(two)
    assert.strictEqual(code, 1)
    assert.match(out, /\n127\.0\.0\.1:1 +down +- +- +- +- +-\n127\.0\.0\.1:1: could not connect/)
    assert.match(err, /^zk: expected 2 of 2 members to be ready, found 1: 127\.0\.0\.1:1: could not connect .*\n$/)
    assert.strictEqual((yield* run([...two, "--need", "any"])).code, 0)
    assert.strictEqual((yield* run([...two, "--need", "majority"])).code, 1)
    assert.strictEqual((yield* run(["health", "-s", "127.0.0.1:1"])).code, 5)
  })

  it.inChroot("does not wait for longer than it is told for a server that hangs", function* ({ run, servers }) {
    const [host = "", port] = servers.split(":")
    const proxy = yield* FaultProxy.make({ host, port: Number(port) })
    yield* proxy.blackHole("both")
    const [elapsed, { code, err }] = yield* Effect.timed(
      run(["health", "-s", proxy.connectString, "--within", "300ms"])
    )
    assert.strictEqual(code, 5)
    assert.include(err, "no answer to srvr within 300ms: the server hangs, or its port is for TLS")
    assert.isBelow(Duration.toMillis(elapsed), 10_000)
  })

  it.inChroot("takes a longer time than --max-latency for a failure", function* ({ run }) {
    const { code, err } = yield* run(["health", "--max-latency", "0ms"])
    assert.strictEqual(code, 1)
    assert.match(err, /connect took [\d.]+ ms, which is more than --max-latency/)
    assert.strictEqual((yield* run(["health", "--max-latency", "1m"])).code, 0)
  })

  it.inChroot("writes nothing with --read-only", function* ({ run, zk }) {
    const before = yield* zk.stat("/")
    const { code, out } = yield* run(["health", "--read-only", "--json"])
    assert.strictEqual(code, 0)
    assert.notProperty(decode(out).members[0], "write")
    assert.deepStrictEqual(yield* zk.stat("/"), before)
  })

  it.inChroot("takes a refusal by an ACL for a committed write", function* ({ run, zk }) {
    yield* zk.create("/closed", { acl: [Acl.world("r")] })
    const { code, out } = yield* run(["health", "--path", "/closed", "--json"])
    const [member] = decode(out).members
    assert.strictEqual(code, 0)
    assert.isAbove(member?.write ?? 0, 0)
    assert.match(member?.problems.join() ?? "", /^write: .*\/closed/)
  })
})

describeOnServers("a canary at the root of the servers", (it) => {
  it.inChroot("makes no new namespace at each run, and leaves nothing", function* ({ run, servers }) {
    const lines: Array<string> = []
    for (let round = 0; round < 3; round++) {
      const { code, out } = yield* run(["health", "-s", `${servers},${servers}`, "--json"])
      assert.strictEqual(code, 0)
      lines.push(...decode(out).members.flatMap(({ problems }) => problems))
    }
    assert.deepStrictEqual(lines, [])
    const mntr = yield* run(["4lw", "mntr", "-s", servers])
    const namespaces = mntr.out.match(/zk-canary[^\t]*(?=_write_per_namespace)/g) ?? []
    assert.deepStrictEqual(
      [...new Set(namespaces)].filter((name) => name !== "zk-canary"),
      []
    )
    assert.notMatch((yield* run(["ls", "/", "-s", servers])).out, /canary/)
  })

  it.inChroot(
    "is probed beside others that come and go, and misses none",
    { timeout: 60_000 },
    function* ({ servers }) {
      const [host = "", port] = servers.split(":")
      const server = { host, port: Number(port) }
      const probes = Effect.scoped(
        Effect.gen(function* () {
          const canary = yield* Canary.make(server)
          const found = [yield* canary.probe, yield* canary.probe]
          return found.filter(({ problems, watch, write }) => problems.length > 0 || !write || !watch)
        })
      )
      const bad = yield* Effect.forEach(Array.from({ length: 40 }), () => probes, { concurrency: 8 })
      assert.deepStrictEqual(bad.flat(), [])
    }
  )
})

describeOnServers("zk health --discover", (it) => {
  it.inChroot("is not met by members that it cannot ask", function* ({ servers, zk }) {
    const members = ["zk1:2888:3888", "127.0.0.1:2888:3888", "zk3:2888:3888"].map((address, index) => ({
      id: index + 1,
      addresses: [address],
      role: "participant" as const,
      client: Option.none()
    }))
    const getConfig = Effect.succeed({ version: 0n, members, raw: "" })
    const settings = settingsOf(servers)
    const written: Array<string | Uint8Array> = []
    const client = makeClient(settings, () => Effect.succeed({ ...zk, getConfig }))
    const check = (need: "all" | "majority" | "any") =>
      health({ expect: "ready", need, maxLatency: undefined, path: "/", discover: true, within: "5s" }).pipe(
        Effect.result,
        Effect.provideServiceEffect(
          Printer,
          Effect.map(makePrinter("json", false), (printer) => ({
            ...printer,
            write: (chunk: string | Uint8Array) => Effect.sync(() => void written.push(chunk))
          }))
        ),
        Effect.provideService(Client, client),
        Effect.provide(silentStdio)
      )
    for (const [need, needed] of [
      ["all", 3],
      ["majority", 2]
    ] as const) {
      const result = yield* check(need)
      assert.deepInclude(decode(String(written.at(-1))), { healthy: false, needed, notAsked: 2 })
      assert.strictEqual(
        Result.isFailure(result) && result.failure.message,
        `expected ${needed} of 3 members to be ready, found 1: ` +
          "the configuration has no client address of server.1 and server.3: name them in --servers"
      )
    }
    assert.isTrue(Result.isSuccess(yield* check("any")))
  })
})

describeOnServers("a canary", (it) => {
  it.inChroot(
    "is probed again and again, and misses none",
    { timeout: isLong ? 3_600_000 : 30_000 },
    function* ({ chroot, servers, zk }) {
      const [host = "", port] = servers.split(":")
      const canary = yield* Canary.make({ host, port: Number(port) }, { chroot })
      const rounds = isLong ? 100_000 : 200
      for (let round = 0; round < rounds; round++) {
        const { problems, read, watch, write } = yield* canary.probe
        assert.deepStrictEqual(problems, [])
        assert.isTrue(read !== undefined && write !== undefined && watch !== undefined)
      }
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    }
  )

  it.inChroot("goes on after its connection was lost", function* ({ chroot, servers }) {
    const [host = "", port] = servers.split(":")
    const proxy = yield* FaultProxy.make({ host, port: Number(port) })
    const [proxyHost = "", proxyPort] = proxy.connectString.split(":")
    const canary = yield* Canary.make({ host: proxyHost, port: Number(proxyPort) }, { chroot, timeout: "2 seconds" })
    assert.deepStrictEqual((yield* canary.probe).problems, [])
    yield* proxy.accept("refuse")
    yield* proxy.dropAll("rst")
    const lost = yield* canary.probe
    assert.deepInclude(lost, { read: undefined, write: undefined, watch: undefined })
    assert.match(lost.problems.join(), /^read: /)
    yield* proxy.heal
    const healed = yield* eventually(canary.probe, ({ write }) => write !== undefined)
    assert.isDefined(healed.write)
  })
})
