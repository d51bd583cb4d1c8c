/** A tree that lives: services, locks, an election, a queue, flags and counters, for `npx -y pnpm@12 ui`. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { LeaderElection, Lock, Queue, Semaphore, ServiceDiscovery } from "@effect-zookeeper/recipes"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** What stays as it is: flags, configuration, and names and data that are hard to show. */
const settled: Readonly<Record<string, string>> = {
  "/config/mail": JSON.stringify({ smtp: { host: "mail.example.org", port: 587 }, from: "no-reply@example.org" }),
  "/config/mail/templates": "",
  "/config/mail/templates/welcome.html": "<h1>Welcome</h1><script>alert('shown, never run')</script>",
  "/config/payments": JSON.stringify({ provider: "acme", retries: 3, timeout: "5s" }),
  "/config/payments/limits": JSON.stringify({ daily: 10_000, currency: "EUR" }),
  "/flags/dark-mode": "on",
  "/flags/new-checkout": JSON.stringify({ percent: 20, countries: ["DE", "FR"] }),
  "/flags/beta": "off",
  "/names/a b": "a space",
  "/names/象": "🐘, which data may have and names may not",
  "/names/\u202Etxt.exe": "a mark that turns the direction of text",
  "/names/<b>bold<b>": "markup",
  "/archive": ""
}

/** Fills the tree and keeps it moving, until it is interrupted. `connect` makes one session for each of the processes. */
export const live = Effect.fnUntraced(function* <E>(connect: Effect.Effect<ZooKeeper.Service, E, Scope.Scope>) {
  const zk = yield* connect
  for (const [path, data] of Object.entries(settled)) yield* zk.createWithParents(path, { data })
  yield* Effect.forEach(
    Array.from({ length: 5_000 }, (_, index) => `/archive/order-${String(index).padStart(5, "0")}`),
    (path) => zk.create(path, { data: "{}" }),
    { concurrency: 200, discard: true }
  )
  const workers = ["reports-1", "reports-2", "reports-3"]
  yield* Effect.forEach(
    workers,
    (name, index) =>
      Effect.flatMap(connect, (own) => Effect.provideService(work(name, index), ZooKeeper.ZooKeeper, own)).pipe(
        Effect.scoped,
        Effect.forkScoped
      ),
    { discard: true }
  )
  yield* Effect.provideService(produce, ZooKeeper.ZooKeeper, zk)
})

const Job = Schema.Struct({ report: Schema.String, at: Schema.Number })

/** One of several processes that do the same. */
const work = Effect.fnUntraced(function* (name: string, index: number) {
  const discovery = yield* ServiceDiscovery.make("/services", { schema: Schema.Struct({ zone: Schema.String }) })
  yield* discovery.register({
    name: "reports",
    address: `10.0.0.${index + 10}`,
    port: 8080,
    payload: { zone: "ab"[index % 2] ?? "a" }
  })
  const election = yield* LeaderElection.make("/scheduler/leader", { identifier: name })
  yield* Effect.forkScoped(election.whileLeader(() => Effect.never))
  const lock = yield* Lock.make("/locks/nightly-report", { identifier: name })
  yield* lock.withLock(Effect.sleep("8 seconds")).pipe(Effect.repeat(Schedule.spaced("2 seconds")), Effect.forkScoped)
  const exports = yield* Semaphore.make("/limits/exports", { permits: 2, identifier: name })
  yield* exports
    .withPermit(Effect.sleep("3 seconds"))
    .pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.forkScoped)
  const jobs = yield* Queue.make("/queues/reports", { schema: Job })
  yield* jobs.consume(() => Effect.sleep("3 seconds"))
})

/** New jobs, and counters that change. */
const produce = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const jobs = yield* Queue.make("/queues/reports", { schema: Job })
  yield* zk.createWithParents("/metrics/heartbeat", { data: "0" })
  const beat = Effect.flatMap(Clock.currentTimeMillis, (at) => zk.set("/metrics/heartbeat", String(at)))
  yield* Effect.forkScoped(Effect.repeat(beat, Schedule.spaced("500 millis")))
  const offer = Effect.gen(function* () {
    const number = yield* Random.nextIntBetween(1, 100)
    yield* jobs.offer({ report: `sales-${number}`, at: yield* Clock.currentTimeMillis })
  })
  yield* Effect.repeat(offer, Schedule.spaced("1200 millis"))
})
