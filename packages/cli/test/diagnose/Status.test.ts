/** `zk status` and `zk top`: the members side by side, once and again and again. */
import * as Diagnosis from "@effect-zookeeper/cli/Diagnosis"
import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
import * as MemberStatus from "@effect-zookeeper/cli/MemberStatus"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Sample } from "../../src/internal/diagnose/looks.ts"
import { render } from "../../src/internal/diagnose/topView.ts"
import { hanging } from "../support/sockets.ts"
import { start } from "../support/processes.ts"
import { describeOnServers } from "../support/zk.ts"

const decode = Schema.decodeUnknownSync(Diagnosis.Status)

describeOnServers("zk status", (it) => {
  it.inChroot("prints a row for each member, and the reason of those that are down", function* ({ run, servers }) {
    const { code, err, out } = yield* run(["status", "-s", `${servers},127.0.0.1:1`])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    const [header, first, second, problem] = out.split("\n")
    assert.match(
      header ?? "",
      /^SERVER +MODE +VERSION +ZXID +LAG +LATENCY +CONNS +WATCHES +ZNODES +EPHEMERALS +DATA +WAITING$/
    )
    assert.match(
      first ?? "",
      /^127\.0\.0\.1:\d+ +standalone +3\.\d+\.\d+ +0x[0-9a-f]+ +0 +\d+(?:\.\d)?\/\d+ +\d+ +\d+ +\d+ +\d+ /
    )
    assert.match(second ?? "", /^127\.0\.0\.1:1 +down$/)
    assert.match(problem ?? "", /^127\.0\.0\.1:1: could not connect/)
  })

  it.inChroot("gives what the words of the server give, with --json", function* ({ run, zk }) {
    yield* zk.create("/e", { mode: "ephemeral" })
    const ask = Effect.map(run(["4lw", "mntr", "--json"]), ({ out }) => JSON.parse(out)[0].answer)
    // Other tests may write to the server between two questions: each number is the same at some time.
    const counts = ["ephemeralCount", "nodeCount"] as const
    const equal = new Set<string>()
    const all = Effect.gen(function* () {
      const before = yield* ask
      const [member] = decode(JSON.parse((yield* run(["status", "--json"])).out)).members
      const after = yield* ask
      for (const count of counts) if (member?.[count] === after[count]) equal.add(count)
      return { before, member, after }
    })
    const { after, before, member } = yield* eventually(all, () => equal.size === counts.length)
    assert.deepInclude(member, { state: "serving", mode: "standalone", lag: 0, version: after.version })
    // The server has further metrics with each namespace that another test makes.
    const metrics = member?.metrics ?? {}
    assert.containsAllKeys(metrics, Object.keys(before.metrics))
    assert.containsAllKeys(after.metrics, Object.keys(metrics))
  })

  it.inChroot("has the most important columns in a narrow window", function* ({ run }) {
    const { out } = yield* run(["status"], { terminal: "", env: { NO_COLOR: "1" } })
    const [header = "", row = ""] = out.split("\n")
    assert.match(header, /^SERVER +MODE +.*LAG +LATENCY +CONNS +.*WAITING$/)
    assert.notInclude(header, "EPHEMERALS")
    assert.isAtMost(Math.max(header.length, row.length), 80)
  })

  it.inChroot("says on a terminal how many members have answered, while one hangs", function* ({ run, servers }) {
    const all = `${servers},${yield* hanging}`
    const commands = [["status"], ["health", "--expect", "alive"], ["doctor", "--no-tree", "--fail-on", "never"]]
    const runs = yield* Effect.forEach(
      commands,
      (command) => run([...command, "-s", all, "--within", "2500ms"], { terminal: "" }),
      { concurrency: "unbounded" }
    )
    for (const [index, { err, out }] of runs.entries()) {
      assert.include(err, "members 1 of 2", commands[index]?.[0])
      assert.include(out, "no answer to srvr within", commands[index]?.[0])
    }
    for (const command of [["4lw", "ruok", "--within", "2500ms"], ["sessions"]]) {
      const { err } = yield* run([...command, "-s", all], { terminal: "" })
      assert.include(err, "members 1 of 2", command[0])
    }
  })

  it.inChroot(
    "is printed within --timeout, with the member that hangs, and so are others",
    function* ({ run, servers }) {
      const silent = yield* hanging
      const commands = [
        { args: ["status"], expected: 0 },
        { args: ["4lw", "ruok"], expected: 1 },
        { args: ["health", "--need", "any"], expected: 0 },
        { args: ["health", "--need", "all"], expected: 1 },
        { args: ["doctor", "--no-tree"], expected: 1 }
      ]
      const runs = yield* Effect.forEach(
        commands,
        ({ args }) => run([...args, "-s", `${servers},${silent}`, "--timeout", "1200ms"]),
        { concurrency: "unbounded" }
      )
      for (const [index, { code, err, out }] of runs.entries()) {
        const { args, expected } = commands[index]!
        assert.strictEqual(code, expected, `${args.join(" ")}: ${err}`)
        assert.include(out + err, `${silent}: no answer to`, args.join(" "))
        assert.include(out, servers, args.join(" "))
      }
    }
  )

  it.inChroot("ends with 5 where no member answers", function* ({ run }) {
    const { code, err, out } = yield* run(["status", "-s", "127.0.0.1:1,127.0.0.1:2"])
    assert.deepStrictEqual({ code, out }, { code: 5, out: "" })
    assert.match(err, /^zk: no member answers: 127\.0\.0\.1:1: could not connect .*; 127\.0\.0\.1:2: could not connect/)
  })

  it.inChroot("is repeated by top, which prints JSON where there is no terminal", function* ({ run }) {
    const { code, out } = yield* run(["top", "--ndjson", "-n", "3", "--interval", "50ms"])
    assert.strictEqual(code, 0)
    const looks = out
      .trim()
      .split("\n")
      .map((line) => decode(JSON.parse(line)))
    assert.strictEqual(looks.length, 3)
    assert.isAbove(looks[2]!.time, looks[0]!.time)
    const refused = yield* run(["top"])
    assert.strictEqual(refused.code, 2)
    assert.include(refused.err, "top needs a terminal")
    for (const command of ["top", "exporter"]) {
      const hasty = yield* run([command, "--json", "--interval", "0"])
      assert.deepStrictEqual([hasty.code, hasty.out], [2, ""])
      assert.include(hasty.err, "too short")
    }
  })

  it.inChroot("is ended quietly by Ctrl-C in top, with a whole document", { timeout: 90_000 }, function* ({ servers }) {
    const { child, end } = yield* start(servers, ["top", "--json", "--interval", "50ms"])
    yield* Effect.promise(() => new Promise((resolve) => child.stdout?.once("data", resolve)))
    child.kill("SIGINT")
    const { code, err, out } = yield* end
    assert.deepStrictEqual({ code, err }, { code: 130, err: "" })
    const looks = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Diagnosis.Status)))(out)
    assert.isAtLeast(looks.length, 1)
  })
})

const member = (server: string, more: Partial<MemberStatus.MemberStatus> = {}): MemberStatus.MemberStatus => ({
  server,
  state: "serving",
  mode: "follower",
  zxid: 0x100000005n,
  ...more
})

describe("the members of an ensemble", () => {
  it("are behind by the transactions of one epoch, and by an unknown number in an older one", () => {
    const found = MemberStatus.withLag([
      member("zk1", { zxid: 0x200000009n, mode: "leader" }),
      member("zk2", { zxid: 0x200000002n }),
      member("zk3", { lag: 3 }),
      { server: "zk4", state: "unreachable", problem: "down" }
    ])
    assert.deepStrictEqual(
      found.map(({ lag }) => lag),
      [0, 7, undefined, undefined]
    )
  })

  it("are not compared with a server that runs by itself", () => {
    const found = MemberStatus.withLag([
      member("zk1", { zxid: 0x100000005n, mode: "standalone" }),
      member("zk2", { zxid: 0x200000002n }),
      member("zk3", { zxid: 0x200000009n }),
      member("zk4", { zxid: 0x900000009n, mode: "standalone" })
    ])
    assert.deepStrictEqual(
      found.map(({ lag }) => lag),
      [0, 7, 0, 0]
    )
  })

  it("are not behind a leader that has written nothing since its election", () => {
    const lags = (...zxids: ReadonlyArray<bigint>) =>
      MemberStatus.withLag(zxids.map((zxid, index) => member(`zk${index}`, { zxid }))).map(({ lag }) => lag)
    assert.deepStrictEqual(lags(0x300000000n, 0x2000000abn, 0x2000000abn), [0, 0, 0])
    assert.deepStrictEqual(lags(0x300000000n, 0x2000000abn, 0x2000000a0n), [0, 0, 11])
    assert.deepStrictEqual(lags(0x300000000n, 0x2000000abn, 0x100000007n), [0, 0, undefined])
    assert.deepStrictEqual(lags(0x300000001n, 0x2000000abn, 0x2000000abn), [0, undefined, undefined])
    assert.deepStrictEqual(lags(0x100000000n, 0n, 0n), [0, 0, 0])
    assert.deepStrictEqual(lags(0x100000000n), [0])
  })
})

const plain = (text: string): string => text
const style = { width: 80, bold: plain, dim: plain, yellow: plain, blue: plain }

const at = (second: number): number => Date.UTC(2026, 0, 1, 12, 0, second)

const sample = (second: number, received: number): Sample => ({
  time: at(second),
  rows: [
    member("zk1:2181", {
      mode: "leader",
      release: "3.8.0",
      received,
      roundTrip: 1.25,
      lag: 0,
      connections: 12,
      watchCount: 100,
      nodeCount: 5000,
      outstanding: 0,
      zxid: 0x100000000n + BigInt(received)
    }),
    { server: "zk2:2181", state: "unreachable" as const, problem: "zk2:2181: could not connect (ECONNREFUSED)" }
  ].map((member) => ({ member, at: at(second), waiting: undefined }))
})

const samples = [sample(0, 100), sample(1, 100), sample(2, 150), sample(3, 250)]

describe("the metrics of a member", () => {
  it.effect("leave out those of the canaries of earlier versions", () =>
    Effect.gen(function* () {
      const summary = ["avg_latency", "max_latency", "min_latency", "packets_received", "packets_sent"]
      const counts = ["num_alive_connections", "outstanding_requests", "znode_count", "watch_count", "ephemerals_count"]
      const text = [
        "zk_version\t3.9.5",
        "zk_server_state\tleader",
        ...[...summary, ...counts, "approximate_data_size"].map((name) => `zk_${name}\t0`),
        "zk_cnt_zk-canary-9f2b61c4-5c1e-4d0a-8f3e-0c7a5b1d2e4f_write_per_namespace\t1",
        "zk_cnt_zk-canary_write_per_namespace\t7\n"
      ].join("\n")
      const ask: MemberStatus.Ask = (server, word) =>
        Effect.mapError(
          Effect.fromResult(FourLetterWords.parse(word, text)),
          (details) =>
            new FourLetterWords.FourLetterWordError({ server: server.host, word, reason: "Unexpected", details })
        )
      const [found] = yield* MemberStatus.askAllBy([{ host: "zk1", port: 2181 }], ask)
      const canaries = Object.keys(found?.metrics ?? {}).filter((name) => name.includes("canary"))
      assert.deepStrictEqual(canaries, ["zk_cnt_zk-canary_write_per_namespace"])
    })
  )
})

describe("the picture of zk top", () => {
  it("has the rates and the plots of the last samples", () => {
    assert.deepStrictEqual(render(samples, { columns: 160, rows: 24 }, style), [
      "zk top  1 of 2 serve  zxid 0x1000000fa (+100/s)  12:00:03Z",
      "",
      "SERVER    MODE    VERSION  LAG  CONNS  WATCHES  ZNODES  WAITING  PACKETS/S                        ROUND TRIP",
      "zk1:2181  leader  3.8.0    0    12     100      5000    0        100                         ▁▅█  1.3 ms                      ████",
      "zk2:2181  down    -        -    -      -        -       -        -                                -",
      "",
      "zk2:2181: could not connect (ECONNREFUSED)",
      "q ends"
    ])
  })

  it("fits into a narrow and low window", () => {
    const narrow = render(samples, { columns: 40, rows: 5 }, style)
    assert.deepStrictEqual(narrow, [
      "zk top  1 of 2 serve  zxid 0x1000000fa (",
      "",
      "SERVER    MODE    LAG  PACKETS/S",
      "zk1:2181  leader  0    100",
      "q ends; 1 of 2 not shown"
    ])
    for (const columns of [1, 7, 20, 80]) {
      for (const rows of [1, 2, 24]) {
        const lines = render(samples, { columns, rows }, style)
        assert.isAtMost(lines.length, rows)
        for (const line of lines) assert.isAtMost(line.length, columns)
      }
    }
    assert.deepStrictEqual(render([], { columns: 20, rows: 5 }, style), ["zk top: the first an"])
  })

  it("shows no rate of a server that has begun to count anew", () => {
    const lines = render([sample(0, 100), sample(1, 3)], { columns: 40, rows: 9 }, style)
    assert.match(lines[3] ?? "", /^zk1:2181 +leader +0 +-$/)
  })

  it("has the last values of a member that does not answer, and no plot of that time", () => {
    const [first] = sample(2, 150).rows
    const waiting = (second: number): Sample => ({
      time: at(second),
      rows: [{ member: first!.member, at: first!.at, waiting: (second - 3) * 1000 }, sample(second, 0).rows[1]!]
    })
    const silent = [...samples.slice(0, 3), waiting(4), waiting(6)]
    const lines = render(silent, { columns: 160, rows: 24 }, style)
    assert.match(lines[0] ?? "", /^zk top {2}0 of 2 serve/)
    assert.match(lines[3] ?? "", /^zk1:2181 {2}waiting 3s {2}3\.8\.0 +0 +12 +100 +5000 +0 +50 +▁█ {2} +1\.3 ms +███$/)
    // The rate of the whole time, once it has answered.
    const back = render([...silent, sample(7, 650)], { columns: 40, rows: 24 }, style)
    assert.match(back[3] ?? "", /^zk1:2181 {2}leader {2}0 +100$/)
    const begun = {
      time: 0,
      rows: [{ member: { server: "zk1", state: "silent" as const }, at: undefined, waiting: 0 }]
    }
    assert.match(render([begun], { columns: 40, rows: 24 }, style)[3] ?? "", /^zk1 +waiting +- +-$/)
  })
})
