/** The embedded server and a polite load. */
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { Latencies } from "../../src/internal/around/latencies.ts"
import { start } from "../support/processes.ts"
import { describeOnServers, run } from "../support/zk.ts"

/** A clock whose sleeps end ten milliseconds before their time. */
const earlyClock = Effect.map(Clock.Clock, (clock): Clock.Clock => ({
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  sleep: (duration) => clock.sleep(Duration.millis(Math.max(0, Duration.toMillis(duration) - 10)))
}))

describe("zk server", () => {
  it.live("serves until it is stopped, and says where", () =>
    Effect.gen(function* () {
      const { child, end } = yield* start("unused:1", ["server", "--port", "0", "--ndjson"])
      const line = yield* Effect.promise(
        () => new Promise<string>((resolve) => child.stdout?.once("data", (chunk) => resolve(String(chunk))))
      )
      const { servers } = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Listening))(line)
      const env = { ZK_SERVERS: servers }
      assert.strictEqual((yield* run(["create", "/a", "x"], { env })).out, "/a\n")
      assert.strictEqual((yield* run(["get", "/a"], { env })).out, "x")
      const taken = yield* run(["server", "--port", servers.replace(/^.*:/, "")])
      assert.strictEqual(taken.code, 1)
      assert.include(taken.err, "cannot listen there")
      child.kill("SIGINT")
      assert.strictEqual((yield* end).code, 130)
      assert.strictEqual((yield* run(["ls", "/", "--timeout", "1s"], { env })).code, 5)
    }).pipe(Effect.scoped)
  )

  it.live("refuses a super user without a password, and numbers that mean nothing", () =>
    Effect.gen(function* () {
      const wrong = yield* run(["server", "--port", "0"], { env: { ZK_SUPER: "hunter2" } })
      assert.deepStrictEqual([wrong.code, wrong.err], [2, "zk: ZK_SUPER is not user:password\n"])
      assert.strictEqual((yield* run(["server", "--port", "-1"])).code, 2)
    })
  )
})

const results = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Output.BenchResult)))

describeOnServers("zk bench", (it) => {
  it.inChroot("sends as many requests as it says, and leaves nothing behind", function* ({ run, zk }) {
    // The parents that a bench makes are containers, which the servers delete when they are empty.
    yield* zk.create("/b")
    // The bench goes on, however slow the servers are.
    const load = ["bench", "/b", "--give-up", "1m"]
    const args = ["--rate", "100", "--duration", "1s", "--operations", "read,write,create", "--json"]
    const { code, err, out } = yield* run([...load, ...args])
    assert.strictEqual(code, 0, err)
    assert.match(err, /^100 requests at 100 a second, below \/b\/zk-bench-\d{10}; Ctrl-C stops them\n$/)
    const rows = results(out)
    assert.deepStrictEqual(
      rows.map(({ operation, requests }) => [operation, requests]),
      [
        ["read", 34],
        ["write", 33],
        ["create", 33]
      ]
    )
    for (const { max, p50, p99 } of rows) assert.isTrue(p50 > 0 && p50 <= p99 && p99 <= max)
    assert.deepStrictEqual(yield* zk.getChildren("/b"), [])
    const text = yield* run([...load, "--rate", "20", "--duration", "500ms"])
    assert.match(text.out, /^operation +requests .*\nread +5 .*\nwrite +5 .*\n$/)
  })

  it.inChroot("tells no negative times where timers end early", function* ({ run }) {
    const load = run(["bench", "--rate", "50", "--duration", "500ms", "--give-up", "1m", "--json"])
    const { code, err, out } = yield* Effect.provideService(load, Clock.Clock, yield* earlyClock)
    assert.strictEqual(code, 0, err)
    for (const { max, mean, p50 } of results(out)) assert.isTrue(mean > 0 && p50 > 0 && max > 0, out)
  })

  it.inChroot(
    "deletes its znodes where its terminal is closed",
    { timeout: 90_000 },
    function* ({ chroot, servers, zk }) {
      const { child, end } = yield* start(`${servers}${chroot}`, ["bench", "--rate", "10", "--duration", "5m"])
      yield* eventually(zk.countDescendants("/"), (count) => count > 100)
      child.kill("SIGHUP")
      const { code } = yield* end
      assert.strictEqual(code, 129)
      assert.deepStrictEqual(yield* zk.getChildren("/"), [])
    }
  )

  it.inChroot("shows how far it has come", function* ({ run }) {
    const args = ["bench", "--rate", "100", "--duration", "3s", "--give-up", "1m"]
    const { code, err } = yield* run(args, { terminal: "" })
    assert.strictEqual(code, 0, err)
    assert.match(err, /requests \d+ of 300, \d+\/s, \d+ s left/)
  })

  it.inChroot(
    "names what it has to leave, and prints what it has measured",
    { timeout: 60_000 },
    function* ({ chroot, run, servers, zk }) {
      yield* zk.create("/b")
      const [host = "", port] = servers.split(":")
      const proxy = yield* FaultProxy.make({ host, port: Number(port) })
      const args = ["bench", "/b", "--rate", "50", "--duration", "5m", "--give-up", "1m"]
      const { child, end, err } = yield* start(`${proxy.connectString}${chroot}`, args)
      const isStarted = Effect.sync(() => err().includes("Ctrl-C stops them"))
      yield* Effect.repeat(Effect.delay(isStarted, "100 millis"), { until: (started) => started })
      yield* Effect.sleep("1 second")
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("rst")
      child.kill("SIGINT")
      const ended = yield* end
      assert.include([5, 130], ended.code)
      const left = /^(\/b\/zk-bench-\d{10}) is left; `zk rm -r` deletes it$/m.exec(ended.err)?.[1] ?? ""
      assert.match(ended.out, /^operation +requests .*\nread +\d+ /)
      assert.strictEqual((yield* run(["rm", "-r", left, "--yes"])).code, 0, ended.err)
      assert.deepStrictEqual(yield* zk.getChildren("/b"), [])
    }
  )

  it.inChroot("stops where the servers are slow", function* ({ run }) {
    const { code, err, out } = yield* run(["bench", "--rate", "50", "--give-up", "0ms", "--json"])
    assert.strictEqual(code, 4)
    assert.include(err, "stopped early, so as not to be a burden")
    assert.isBelow(results(out)[0]?.requests ?? 1000, 100)
  })

  it.inChroot("refuses more than its bounds, and writes with --read-only", function* ({ run, zk }) {
    for (const [flag, value] of [
      ["--rate", "5001"],
      ["--duration", "11m"],
      ["--size", "101k"],
      ["--concurrency", "0"],
      ["--operations", "delete"]
    ] as const) {
      const { code, err } = yield* run(["bench", flag, value])
      assert.strictEqual(code, 2, err)
      assert.include(err, flag)
    }
    assert.strictEqual((yield* run(["bench", "--read-only"])).code, 6)
    assert.deepStrictEqual(yield* zk.getChildren("/"), [])
  })
})

describe("latencies", () => {
  it("have percentiles that are two in a hundred too large at most", () => {
    const latencies = new Latencies()
    for (let millis = 1; millis <= 1000; millis++) latencies.add(millis)
    const { max, mean, p50, p99, rate, requests } = latencies.summary("read", 10)
    assert.deepStrictEqual({ max, mean, rate, requests }, { max: 1000, mean: 500.5, rate: 100, requests: 1000 })
    assert.isTrue(p50 >= 500 && p50 <= 510.1, String(p50))
    assert.isTrue(p99 >= 990 && p99 <= 1000, String(p99))
    assert.strictEqual(latencies.meanOfLast(), 500.5)
    assert.strictEqual(latencies.meanOfLast(), 0)
  })
})
