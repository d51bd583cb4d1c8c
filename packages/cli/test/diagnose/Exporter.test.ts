/** `zk exporter`: the metrics of all members for Prometheus. */
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Net from "node:net"
import * as Diagnosis from "../../src/Diagnosis.ts"
import * as Prometheus from "../../src/internal/diagnose/prometheus.ts"
import { start } from "../support/processes.ts"
import { describeOnServers, run } from "../support/zk.ts"

/** Starts it on a free port, and gives the address of its metrics. */
const startExporter = (servers: string, args: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const exporter = yield* start(servers, ["exporter", "--listen", "127.0.0.1:0", ...args])
    const url = yield* Effect.callback<string>((resume) => {
      exporter.child.stderr?.on("data", (chunk) => {
        const found = /are at (http:\S+)/.exec(String(chunk))?.[1]
        if (found !== undefined) resume(Effect.succeed(found))
      })
    })
    return { ...exporter, url }
  })

/** The samples by name and labels; each line of the text has to be one. */
const scrape = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    const text = await response.text()
    assert.strictEqual(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    const samples = new Map<string, number>()
    const families = new Set<string>()
    for (const line of text.trimEnd().split("\n")) {
      const type = /^# TYPE (\S+) (gauge|counter|summary|untyped)$/.exec(line)
      if (type?.[1] !== undefined) {
        assert.isFalse(families.has(type[1]), line)
        families.add(type[1])
      }
      if (line.startsWith("#")) continue
      const [, name = "", value] = /^([a-zA-Z_:][\w:]*\{[^\n]*\}) (\S+)$/.exec(line) ?? assert.fail(line)
      assert.isFalse(samples.has(name), name)
      samples.set(name, Number(value))
    }
    return samples
  })

describeOnServers("zk exporter", (it) => {
  it.inChroot("gives the metrics of mntr, and those of a canary", function* ({ chroot, servers }) {
    const { child, end, url } = yield* startExporter(`${servers},127.0.0.1:1${chroot}`, ["--interval", "50ms"])
    const server = `server="${servers}"`
    // Asked first, for the server has further metrics with each namespace that another test makes.
    const mntr = JSON.parse((yield* run(["4lw", "mntr", "--json", "-s", servers])).out)[0].answer.metrics
    const samples = yield* eventually(
      scrape(url),
      (found) => (found.get(`zk_canary_duration_seconds_count{${server},operation="watch"}`) ?? 0) >= 2
    )
    for (const name of Object.keys(mntr)) assert.isTrue(samples.has(`${Prometheus.metricName(name)}{${server}}`), name)
    assert.strictEqual(samples.get(`zk_member_up{${server}}`), 1)
    assert.strictEqual(samples.get(`zk_member_up{server="127.0.0.1:1"}`), 0)
    assert.strictEqual(samples.get(`zk_member_mode{${server},mode="standalone"}`), 1)
    assert.strictEqual(samples.get(`zk_member_mode{${server},mode="leader"}`), 0)
    assert.strictEqual(samples.get(`zk_canary_ready{${server}}`), 1)
    for (const operation of ["connect", "read", "write", "watch"]) {
      assert.isAbove(samples.get(`zk_canary_last_duration_seconds{${server},operation="${operation}"}`) ?? 0, 0)
      assert.strictEqual(samples.get(`zk_canary_failures_total{${server},operation="${operation}"}`), 0)
    }
    child.kill("SIGINT")
    assert.strictEqual((yield* end).code, 130)
  })

  it.inChroot("tells a script where the metrics are, with --json", function* ({ chroot, runLive, servers }) {
    let out = ""
    const args = ["exporter", "--listen", "127.0.0.1:0", "--no-canary", "-s", `${servers}${chroot}`]
    const exporter = yield* runLive([...args, "--ndjson"], { onOut: (text) => (out = text) })
    yield* exporter.sees("\n")
    const found = Schema.decodeUnknownSync(Schema.fromJsonString(Diagnosis.Metrics))(out)
    assert.deepStrictEqual(found.servers, [servers])
    assert.isTrue((yield* scrape(found.url)).has(`zk_member_up{server="${servers}"}`))
  })

  it.inChroot("answers /metrics alone, and has no canary with --no-canary", function* ({ servers, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    const { url } = yield* startExporter(servers, ["--no-canary"])
    const names = ["zk_ephemerals_count", "zk_znode_count", "zk_watch_count", "zk_approximate_data_size"]
    // Other tests may write to the server between the two questions: each number is the same at some time.
    const equal = new Set<string>()
    const both = Effect.gen(function* () {
      const samples = yield* scrape(url)
      const mntr = JSON.parse((yield* run(["4lw", "mntr", "--json", "-s", servers])).out)[0].answer.metrics
      for (const name of names) if (samples.get(`${name}{server="${servers}"}`) === mntr[name]) equal.add(name)
      return samples
    })
    const samples = yield* eventually(both, () => equal.size === names.length)
    for (const name of samples.keys()) assert.notMatch(name, /^zk_canary/)
    const status = (address: string, options?: RequestInit) =>
      Effect.promise(async () => (await fetch(address, options)).status)
    assert.strictEqual(yield* status(url.replace("/metrics", "/")), 404)
    assert.strictEqual(yield* status(url, { method: "POST" }), 405)
    assert.strictEqual(yield* status(`${url}?x=1`), 200)
  })

  it.inChroot("ends at once, also with a client that has sent half a request", function* ({ servers }) {
    const { child, end, url } = yield* startExporter(servers)
    const socket = yield* Effect.acquireRelease(
      Effect.callback<Net.Socket>((resume) => {
        const socket = Net.connect({ host: "127.0.0.1", port: Number(new URL(url).port) })
        socket.on("error", () => {})
        socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n", () => resume(Effect.succeed(socket)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    assert.isFalse(socket.destroyed)
    child.kill("SIGTERM")
    assert.strictEqual((yield* end.pipe(Effect.timeout("15 seconds"))).code, 143)
  })

  it.inChroot("says what is wrong with its address", function* ({ servers }) {
    const { url } = yield* startExporter(servers, ["--no-canary"])
    const taken = yield* run(["exporter", "-s", servers, "--listen", new URL(url).host])
    assert.strictEqual(taken.code, 1)
    assert.match(taken.err, /^zk: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; choose another with --listen\n$/)
    assert.strictEqual((yield* run(["exporter", "--listen", "here"])).code, 2)
  })
})

describe("the text for Prometheus", () => {
  it("escapes what servers say, and leaves out what is empty", () => {
    const text = Prometheus.format([
      {
        name: "a",
        help: "x\ny\\z",
        type: "gauge",
        samples: [
          { labels: { l: 'q"\\\n' }, value: 1.5 },
          { suffix: "_sum", labels: {}, value: Infinity }
        ]
      },
      { name: "b", help: "", type: "gauge", samples: [] }
    ])
    assert.strictEqual(text, '# HELP a x\\ny\\\\z\n# TYPE a gauge\na{l="q\\"\\\\\\n"} 1.5\na_sum +Inf\n')
    assert.strictEqual(Prometheus.metricName("zk_avg_/_read.per-x"), "zk_avg___read_per_x")
    assert.strictEqual(Prometheus.metricName("9x"), "_9x")
  })
})
