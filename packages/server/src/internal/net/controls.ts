/**
 * Makes the service `EmbeddedServer`: the controls of a running server for tests.
 */
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"
import { withJson } from "@effect-zookeeper/protocol/Json"
import type { ListenError } from "../../ListenError.ts"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Match } from "../../Fault.ts"
import type { Snapshot } from "../state/ServerState.ts"
import type { ServerRuntime } from "./ServerRuntime.ts"
import { latencyMillis } from "./settings.ts"

/** The listeners of the members, by their numbers. Opening an open one, or closing a closed one, does nothing. */
export interface Listeners {
  readonly open: (member: number) => Effect.Effect<void, ListenError>
  readonly close: (member: number) => Effect.Effect<void>
}

/** The type of the service is declared, and documented, in `EmbeddedServer`. */
export const makeControls = (runtime: ServerRuntime, connectString: string, listeners: Listeners) => {
  const { faults, state } = runtime
  const memberAt = (member: number) => {
    const replica = state.replicas[member]
    if (replica === undefined)
      throw new RangeError(`there is no member ${member}, only 0 to ${state.replicas.length - 1}`)
    return replica
  }
  /** One member, or all of them. */
  const chosen = (member: number | undefined) => {
    const numbers = member === undefined ? [...state.replicas.keys()] : [member]
    return { numbers, members: numbers.map(memberAt) }
  }
  /** Changes a znode on all members at once, outside of the log. */
  const changeOnAll = (path: string, change: (node: NonNullable<ReturnType<typeof state.leader.tree.get>>) => void) =>
    Effect.sync(() => {
      for (const { tree } of state.replicas) {
        const node = tree.get(path)
        if (node !== undefined) change(node)
      }
      return state.leader.tree.get(path) !== undefined
    })
  return {
    connectString,
    sessions: Effect.sync(() =>
      state.sessions.all.map(({ client, id, timeout }) =>
        withJson({
          id,
          timeout: Duration.millis(timeout),
          connected: client !== undefined,
          ephemerals: state.leader.tree.ephemeralsOf(id)
        })
      )
    ),
    expireSession: (id: bigint) => Effect.sync(() => runtime.expireSession(id)),
    disconnectAll: Effect.sync(() => runtime.disconnect()),
    pause: Effect.sync(() => runtime.pause()),
    resume: Effect.sync(() => runtime.resume()),
    stop: (member?: number) =>
      Effect.suspend(() => {
        const { members, numbers } = chosen(member)
        runtime.stop(members)
        return Effect.forEach(numbers, listeners.close, { discard: true })
      }),
    start: (member?: number) =>
      Effect.suspend(() => {
        const { members, numbers } = chosen(member)
        return Effect.andThen(
          Effect.forEach(numbers, listeners.open, { discard: true }),
          Effect.sync(() => runtime.start(members))
        )
      }),
    setLatency: (latency: Duration.Input) =>
      Effect.sync(() => {
        runtime.latency = latencyMillis(latency)
      }),
    snapshot: Effect.sync(() => state.snapshot()),
    restore: (snapshot: Snapshot) =>
      Effect.sync(() => {
        runtime.partition.forget()
        runtime.deliver(state.restore(snapshot, runtime.timestamps()))
        runtime.flushAll()
      }),
    dropReply: (match: Match, times = 1) => Effect.sync(() => faults.add(match, { _tag: "DropReply" }, times)),
    dropRequest: (match: Match, times = 1) => Effect.sync(() => faults.add(match, { _tag: "DropRequest" }, times)),
    answerWith: (match: Match, error: ErrorName, times = 1) =>
      Effect.sync(() => faults.add(match, { _tag: "Answer", error }, times)),
    clearFaults: Effect.sync(() => faults.clear()),
    setSequence: (parent: string, next: number) =>
      changeOnAll(parent, (node) => {
        node.cversion = next
      }),
    setVersion: (path: string, version: number) =>
      changeOnAll(path, (node) => {
        node.version = version
      }),
    setReadOnly: (readOnly: boolean, member = 0) =>
      Effect.sync(() => {
        const replica = memberAt(member)
        if (replica.readOnly === readOnly) return
        replica.readOnly = readOnly
        runtime.disconnect(replica)
        runtime.deliver(state.rejoin(replica))
        runtime.flushAll()
      }),
    setLag: (member: number, transactions: number) =>
      Effect.sync(() => {
        const replica = memberAt(member)
        if (replica === state.leader && transactions > 0)
          throw new RangeError(`member ${member} leads the others: it cannot lag behind`)
        replica.lag = transactions
        runtime.deliver(state.rejoin(replica))
        runtime.flushAll()
      }),
    leader: Effect.sync(() => state.replicas.indexOf(state.leader)),
    isolate: (member: number) => Effect.sync(() => runtime.isolate(memberAt(member))),
    rejoin: Effect.sync(() => runtime.rejoin())
  }
}
