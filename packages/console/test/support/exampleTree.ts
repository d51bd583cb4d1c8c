/** A tree as an operator would see it, with names and data that a page must not take for its own. */
import { ZooKeeper } from "@effect-zookeeper/client"
import type { Contention, Finding, Group, Member, Queue } from "@effect-zookeeper/console/EnsembleModels"
import type { Session } from "@effect-zookeeper/console/SessionModels"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Zlib from "node:zlib"
import type { MadeUp } from "./consoleWorld.ts"

/** Names that would do something if they were taken for markup, or for instructions to the order of text. */
export const hostileNames = [
  "<img src=x onerror=document.title='run'>",
  "<script>document.title='run'</script>",
  "a\u202egpj.exe",
  "\u200fשלום-עולם",
  "zero\u200bwidth",
  "☕-emoji",
  "a'\"&amp;b"
] as const

export const exampleTree = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const put = (path: string, data: string | Uint8Array = "") => zk.createWithParents(path, { data })
  yield* put(
    "/app/config",
    JSON.stringify({
      name: "checkout",
      replicas: 3,
      timeouts: { connect: 2000, read: 15_000 },
      regions: ["eu-west", "us-east"]
    })
  )
  yield* put("/app/flags/new-checkout", '{\n  "enabled": false,\n  "owner": "payments",\n  "percent": 25\n}\n')
  yield* put("/app/flags/dark-mode", '{"enabled":true}')
  yield* put("/app/banner", "<h1 onclick=alert(1)>Sale</h1><script>document.title='run'</script>")
  yield* put("/app/schema.gz", Uint8Array.from(Zlib.gzipSync('{"fields":["id","name"]}')))
  yield* put(
    "/app/avatar.bin",
    Uint8Array.from({ length: 700 }, (_, i) => (i * 37) % 256)
  )
  yield* put("/brokers/ids", "")
  for (const id of [0, 1, 2]) {
    yield* zk.create(`/brokers/ids/${id}`, {
      data: JSON.stringify({ host: `kafka-${id}`, port: 9092 }),
      mode: "ephemeral"
    })
  }
  yield* put("/services/payments", "")
  yield* put("/services/search", "")
  for (const id of ["7f3a", "91bc"])
    yield* zk.create(`/services/payments/${id}`, { data: `10.0.4.${id.length}:8080`, mode: "ephemeral" })
  yield* put("/locks/report", "")
  for (const host of ["job-7", "job-9"])
    yield* zk.create("/locks/report/lock-", { data: host, mode: "ephemeralSequential" })
  yield* put("/hostile", "")
  for (const name of hostileNames) yield* put(`/hostile/${name}`, "data")
  for (let index = 0; index < 60; index += 1)
    yield* put(`/tasks/task-${String(index).padStart(4, "0")}`, `{"n":${index}}`)
})

const member = (server: string, changes: Partial<Member>): Member => ({
  server,
  state: "serving",
  role: "participant",
  mode: "follower",
  release: "3.9.2",
  zxid: 0x1200000a3fn,
  lag: 0,
  latency: { min: 0, avg: 0.4, max: 31 },
  connections: 42,
  outstanding: 0,
  received: 120_000,
  sent: 131_000,
  nodeCount: 1843,
  watchCount: 310,
  ephemeralCount: 27,
  dataSize: 221_000,
  openFiles: 110,
  maxFiles: 65_536,
  roundTrip: 1.8,
  ...changes
})

/** Three members, of which the last is down. */
export const lostMember: ReadonlyArray<Member> = [
  member("zk1.example:2181", { mode: "leader", connections: 57, syncedFollowers: 1, learners: 1 }),
  member("zk2.example:2181", { lag: 2400, outstanding: 12, zxid: 0x12000000dfn }),
  {
    server: "zk3.example:2181",
    state: "unreachable",
    role: "participant",
    problem: "connect ECONNREFUSED 10.0.4.13:2181"
  }
]

export const healthyMembers: ReadonlyArray<Member> = [
  member("zk1.example:2181", { mode: "leader", connections: 57 }),
  member("zk2.example:2181", {}),
  member("zk3.example:2181", { connections: 39, roundTrip: 2.4 })
]

/** Members, sessions, findings and recipes beside the tree. */
export const makeUp = (madeUp: MadeUp, owner: bigint) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    madeUp.members = lostMember
    madeUp.findings = findings
    madeUp.sessions = sessionsAt(now, owner)
    madeUp.recipes = [
      { contention: reportLock(now, owner) },
      { contention: election(now, owner) },
      { queue: mails(now) },
      { group: services(now, owner) }
    ]
  })

const services = (now: number, owner: bigint): Group => ({
  path: "/services/mail",
  kind: "services",
  members: [
    {
      path: "/services/mail/m1",
      identifier: "mail m1",
      address: "10.0.4.21:2525",
      session: owner,
      since: now - 7_200_000
    },
    {
      path: "/services/mail/m2",
      identifier: "mail m2",
      address: "10.0.4.35:2525",
      session: 0x200a3f77de10002n,
      since: now - 420_000
    }
  ],
  more: 0
})

const findings: ReadonlyArray<Finding> = [
  {
    severity: "error",
    check: "quorum",
    where: "zk3.example:2181",
    message: "it does not answer",
    advice: "One more lost member ends the quorum: look at its log first."
  },
  {
    severity: "warning",
    check: "lag",
    where: "zk2.example:2181",
    message: "it is 2,400 transactions behind the leader",
    advice: "Look at its disk, and at the network to the leader."
  },
  { severity: "note", check: "acl", where: "/app", message: "anyone may write below it" }
]

const sessionsAt = (now: number, owner: bigint): ReadonlyArray<Session> => [
  {
    session: owner,
    server: "zk1.example:2181",
    client: "10.0.4.21:53312",
    connected: now - 7_200_000,
    timeout: 30_000,
    ephemerals: 6,
    queued: 0,
    received: 18_220,
    sent: 18_410,
    lastOperation: "PING"
  },
  {
    session: 0x200a3f77de10002n,
    server: "zk1.example:2181",
    client: "10.0.4.35:41876",
    connected: now - 340_000,
    timeout: 10_000,
    ephemerals: 1,
    queued: 0,
    received: 912,
    sent: 960,
    lastOperation: "GETD"
  },
  {
    session: 0x300a3f77de1000fn,
    server: "zk2.example:2181",
    client: "10.0.7.4:60122",
    connected: now - 86_400_000 * 3,
    timeout: 40_000,
    ephemerals: 0,
    queued: 14,
    received: 2_002_120,
    sent: 2_110_003,
    lastOperation: "SETD"
  }
]

const reportLock = (now: number, owner: bigint): Contention => ({
  path: "/locks/report",
  recipe: "lock",
  contenders: [
    {
      path: "/locks/report/lock-0000000000",
      state: "holds",
      kind: "lock",
      layout: "curator",
      identifier: "job-7",
      session: owner,
      since: now - 5_400_000,
      czxid: 0x1200000110n
    },
    {
      path: "/locks/report/lock-0000000001",
      state: "waits",
      kind: "lock",
      layout: "curator",
      identifier: "job-9",
      session: 0x200a3f77de10002n,
      since: now - 3_300_000,
      czxid: 0x1200000115n
    },
    {
      path: "/locks/report/lock-0000000002",
      state: "waits",
      kind: "lock",
      layout: "kazoo",
      identifier: "",
      session: 0x300a3f77de1000fn,
      since: now - 60_000,
      czxid: 0x120000011fn
    }
  ]
})

const election = (now: number, owner: bigint): Contention => ({
  path: "/election/scheduler",
  recipe: "election",
  contenders: [
    {
      path: "/election/scheduler/c-0000000004",
      state: "holds",
      kind: "candidate",
      identifier: "scheduler-a",
      session: owner,
      since: now - 86_400_000,
      czxid: 0x1200000010n
    }
  ]
})

const mails = (now: number): Queue => ({
  path: "/queues/mail",
  layout: "kazoo",
  items: 1284,
  taken: 2,
  dead: 3,
  entries: [
    {
      path: "/queues/mail/entry-100-0000000011",
      priority: 100,
      state: "taken",
      since: now - 45_000,
      attempts: 0,
      takenSince: now - 4_000,
      session: 0x200a3f77de10002n,
      encoding: "utf8",
      data: '{"to":"a@example.com"}'
    },
    {
      path: "/queues/mail/entry-100-0000000012",
      priority: 100,
      state: "waits",
      since: now - 44_000,
      attempts: 1,
      encoding: "utf8",
      data: '{"to":"b@example.com"}'
    },
    {
      path: "/queues/mail/entry-100-0000000013",
      priority: 100,
      state: "waits",
      since: now - 43_000,
      attempts: 0,
      encoding: "base64",
      data: "AAEC"
    }
  ]
})
