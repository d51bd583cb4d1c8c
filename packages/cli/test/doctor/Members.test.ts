/** The findings of the doctor about members and their settings. */
import { assert, describe, it } from "@effect/vitest"
import { advisoriesFor, isEndOfLife } from "../../src/internal/doctor/advisories.ts"
import { type Finding, type Member, merge } from "../../src/internal/doctor/examination.ts"
import { checkMembers } from "../../src/internal/doctor/memberChecks.ts"
import { checkSettings } from "../../src/internal/doctor/settingChecks.ts"
import { conf, member } from "../support/members.ts"

const leader = member("zk1", { status: { mode: "leader", syncedFollowers: 2, learners: 2 } })
const others = [member("zk2"), member("zk3")]

const find = (members: ReadonlyArray<Member>): ReadonlyArray<Finding> =>
  merge([...checkMembers(members), ...checkSettings(members)])

/** The findings without the advice, as lines. */
const lines = (members: ReadonlyArray<Member>): ReadonlyArray<string> =>
  find(members).map(({ check, message, severity, where }) => `${severity} ${check} ${where}: ${message}`)

describe("the doctor", () => {
  it("finds nothing in an ensemble that is well", () => {
    assert.deepStrictEqual(find([leader, ...others]), [])
  })

  it("gives an advice with each finding", () => {
    const sick = member("zk2", {
      conf: conf({ tickTime: 5000, dataDir: "/tmp/zk", maxClientCnxns: 0 }),
      status: { state: "idle", release: "3.5.2" }
    })
    for (const finding of find([leader, sick])) assert.isAbove(finding.advice?.length ?? 0, 10, finding.check)
  })

  it("names members that are down, behind, or alone", () => {
    const down: Member = {
      ...member("zk3"),
      status: { server: "zk3:2181", state: "unreachable", problem: "could not connect" }
    }
    const last = member("zk1", { status: { mode: "leader", syncedFollowers: 1, learners: 1 } })
    assert.deepStrictEqual(lines([last, member("zk2", { status: { lag: 1234 } }), down]), [
      "error presence zk3:2181: could not connect",
      "error leader zk1:2181: 1 of 2 followers is in step, so that one more loss stops the ensemble",
      "warning lag zk2:2181: it is 1234 transactions behind"
    ])
    const { lag: _, ...status } = member("zk2").status
    assert.include(
      lines([leader, { ...member("zk2"), status }, member("zk3")]),
      "warning lag zk2:2181: it is in an older epoch than others"
    )
    assert.include(
      lines([member("zk1", { status: { mode: "read-only" } })]),
      "error leader zk1:2181: it serves reads alone, because it sees no quorum"
    )
    assert.include(
      lines([leader, member("zk9", { status: { mode: "standalone" } })]),
      "error leader zk1:2181, zk9:2181: these servers are not members of one ensemble"
    )
  })

  it("does not compare servers that are not members of one ensemble", () => {
    const unrelated = (mode: "standalone" | "leader") => {
      const { lag: _, ...status } = member("zk9").status
      const alone = conf({ maxClientCnxns: 10, membership: [] })
      return { ...member("zk9", { conf: alone }), status: { ...status, mode, release: "3.8.6" } }
    }
    const message = "these servers are not members of one ensemble"
    assert.deepStrictEqual(lines([member("zk2"), unrelated("standalone")]), [
      `error leader zk2:2181, zk9:2181: ${message}`
    ])
    assert.deepStrictEqual(lines([leader, ...others, unrelated("leader")]), [
      `error leader zk1:2181, zk9:2181: ${message}`
    ])
    assert.deepStrictEqual(lines([leader, ...others, unrelated("standalone")]), [
      `error leader zk1:2181, zk9:2181: ${message}`
    ])
  })

  it("names releases that differ, that are old, and that are vulnerable", () => {
    const found = lines([leader, member("zk2", { status: { release: "3.7.2" } }), member("zk3")])
    assert.deepStrictEqual(found, [
      "warning versions : the members run different releases: 3.9.5 on zk1:2181, zk3:2181; 3.7.2 on zk2:2181",
      "warning end-of-life zk2:2181: 3.7.2 gets no more fixes from the project",
      "warning vulnerability zk2:2181: 3.7.2 has CVE-2024-23944: persistent watches tell paths below znodes that a client may not read"
    ])
  })

  it("knows the vulnerabilities of each line", () => {
    const known = (release: string) => advisoriesFor(release).map(({ cve }) => cve.slice("CVE-".length))
    assert.deepStrictEqual(known("3.4.9"), ["2017-5637", "2018-8012", "2019-0201", "2023-44981"])
    assert.deepStrictEqual(known("3.4.14"), ["2023-44981"])
    assert.deepStrictEqual(known("3.5.4"), ["2019-0201", "2023-44981"])
    assert.deepStrictEqual(known("3.8.0"), ["2023-44981", "2024-23944", "2026-24281"])
    assert.deepStrictEqual(known("3.8.4"), ["2026-24281"])
    assert.deepStrictEqual(known("3.8.6"), [])
    assert.deepStrictEqual(known("3.9.0"), ["2023-44981", "2024-23944", "2024-51504", "2025-58457", "2026-24281"])
    assert.deepStrictEqual(known("3.9.3"), ["2025-58457", "2026-24281"])
    assert.deepStrictEqual(known("3.9.5"), [])
    assert.deepStrictEqual(known("3.10.0"), [])
    assert.isTrue(isEndOfLife("3.7.2"))
    assert.isFalse(isEndOfLife("3.8.0"))
    assert.isFalse(isEndOfLife("3.10.0"))
  })

  it("names members under load", () => {
    const busy = member("zk2", {
      wchs: { connections: 1, paths: 50_000, watches: 50_000 },
      status: {
        openFiles: 3900,
        outstanding: 900,
        latency: { min: 0, avg: 150.0333, max: 9000 },
        metrics: { zk_fsync_threshold_exceed_count: 3 }
      }
    })
    assert.deepStrictEqual(lines([leader, busy, member("zk3")]), [
      "error files zk2:2181: 3900 of 4096 files are open",
      "warning outstanding zk2:2181: 900 requests wait",
      "warning latency zk2:2181: requests take 150 ms on average",
      "warning slow-disk zk2:2181: 3 writes to the transaction log took longer than a second",
      "warning watches zk2:2181: 1 connection has 50000 watches"
    ])
  })

  it("names the session with the most watches, where the server tells", () => {
    const watched = member("zk2", {
      wchs: { connections: 20, paths: 50_000, watches: 60_000 },
      watcher: { session: 0x100000000000001n, watches: 50_000 }
    })
    assert.deepStrictEqual(lines([leader, watched, member("zk3")]), [
      "warning watches zk2:2181: the session 0x100000000000001 has 50000 of 60000 watches"
    ])
    assert.match(
      find([leader, watched, member("zk3")])[0]?.advice ?? "",
      /^`zk sessions --session 0x100000000000001` shows its client/
    )
  })

  it("counts watches by mntr where wchs is refused", () => {
    const status = { watchCount: 50_000, connections: 3 }
    const refusing = member("zk2", { wchs: undefined, refused: ["wchs"], status })
    assert.include(
      lines([leader, refusing, member("zk3")]),
      "warning watches zk2:2181: 3 connections have 50000 watches"
    )
    const few = member("zk2", { wchs: undefined, status: { watchCount: 50_000, connections: 5 } })
    assert.deepStrictEqual(lines([leader, few, member("zk3")]), [])
  })

  it("notes once the words that are refused", () => {
    const refusing = (host: string) => member(host, { conf: undefined, dump: undefined, refused: ["conf", "dump"] })
    assert.deepStrictEqual(lines([leader, refusing("zk2"), refusing("zk3")]), [
      "note words zk2:2181, zk3:2181: no answer to conf, dump, so that not everything could be checked"
    ])
  })

  it("names settings that are odd, or that differ", () => {
    const odd = conf({
      tickTime: 3000,
      minSessionTimeout: 4000,
      maxSessionTimeout: 20_000,
      initLimit: 1,
      maxClientCnxns: 0,
      dataDir: "/tmp/zookeeper/version-2"
    })
    const root = { "user.name": "root", "os.memory.max": "64MB" }
    const sick = member("zk2", {
      conf: odd,
      envi: root,
      dirs: { data: 2 ** 31, log: 2 ** 30 },
      status: { nodeCount: 50_000, dataSize: 30_000_000 }
    })
    assert.deepStrictEqual(lines([leader, sick, member("zk3")]), [
      "warning settings-differ tickTime: the members have different values: 2000 on zk1:2181, zk3:2181; 3000 on zk2:2181",
      "warning settings-differ initLimit: the members have different values: 10 on zk1:2181, zk3:2181; 1 on zk2:2181",
      "warning settings-differ maxSessionTimeout: the members have different values: 40000 on zk1:2181, zk3:2181; 20000 on zk2:2181",
      "warning settings-differ maxClientCnxns: the members have different values: 60 on zk1:2181, zk3:2181; 0 on zk2:2181",
      "warning settings zk2:2181: minSessionTimeout (4000 ms) is below two ticks (6000 ms), which servers cannot keep exactly",
      "note settings zk2:2181: maxSessionTimeout is 20000 ms: a pause of a client that is as long ends its session",
      "note settings zk2:2181: initLimit gives followers 3000 ms to get the tree from the leader",
      "note settings zk2:2181: maxClientCnxns is 0: one address may open any number of connections",
      "error data-folder zk2:2181: its data is in /tmp/zookeeper/version-2, which may be emptied when the machine starts",
      "warning disk zk2:2181: snapshots and logs have 3.0G, for a tree of 28.6M",
      "warning process zk2:2181: it runs as root",
      "warning heap zk2:2181: 50000 znodes of 28.6M leave little of its heap of 64 MiB"
    ])
  })

  it("says once what several members have in common", () => {
    const asRoot = (host: string) => member(host, { envi: { "user.name": "root" } })
    assert.deepStrictEqual(lines([leader, asRoot("zk2"), asRoot("zk3")]), [
      "warning process zk2:2181, zk3:2181: it runs as root"
    ])
  })

  it("counts the members that vote, and compares their lists", () => {
    const membership = ["zk1", "zk2"].map((host, index) => `server.${index + 1}=${host}:2888:3888:participant`)
    const two = member("zk1", {
      conf: conf({ membership: [...membership, "server.3=zk3:2888:3888:observer"] }),
      status: { mode: "leader", syncedFollowers: 1, learners: 2 }
    })
    assert.deepStrictEqual(lines([two]), [
      "note membership : the ensemble has 3 members, and 1 of them was asked",
      "warning membership : 2 members vote, and the ensemble survives no more losses than with 1"
    ])
    assert.include(
      lines([leader, member("zk2", { conf: conf({ membership: membership.slice(0, 1) }) })]),
      "error membership : the members disagree about the membership of the ensemble"
    )
  })
})
