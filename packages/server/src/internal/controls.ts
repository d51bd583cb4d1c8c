/**
 * The service: what a test can ask of a running server and do to it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EmbeddedServer } from "../EmbeddedServer.ts"
import type { Core } from "./Core.ts"

export const makeControls = (core: Core, connectString: string): EmbeddedServer["Service"] => {
  const { faults, state } = core
  const doorAt = (door: number) => {
    const replica = state.replicas[door]
    if (replica === undefined) throw new RangeError(`there is no door ${door}, only 0 to ${state.replicas.length - 1}`)
    return replica
  }
  /** Changes a znode on all doors at once, outside of the log. */
  const alter = (path: string, change: (node: NonNullable<ReturnType<typeof state.leader.tree.get>>) => void) =>
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
      state.sessions.all.map(({ client, id, timeout }) => ({
        id,
        timeout: Duration.millis(timeout),
        connected: client !== undefined,
        ephemerals: state.leader.tree.ephemeralsOf(id)
      }))
    ),
    expireSession: (id) => Effect.sync(() => core.expireSession(id)),
    disconnectAll: Effect.sync(() => core.disconnect()),
    pause: Effect.sync(() => core.pause()),
    resume: Effect.sync(() => core.resume()),
    snapshot: Effect.sync(() => state.snapshot()),
    restore: (snapshot) =>
      Effect.sync(() => {
        core.partition.forget()
        core.deliver(state.restore(snapshot, core.moment()))
        core.settle()
      }),
    dropReply: (match, times = 1) => Effect.sync(() => faults.add(match, { _tag: "DropReply" }, times)),
    dropRequest: (match, times = 1) => Effect.sync(() => faults.add(match, { _tag: "DropRequest" }, times)),
    answerWith: (match, error, times = 1) => Effect.sync(() => faults.add(match, { _tag: "Answer", error }, times)),
    clearFaults: Effect.sync(() => faults.clear()),
    setSequence: (parent, next) =>
      alter(parent, (node) => {
        node.cversion = next
      }),
    setVersion: (path, version) =>
      alter(path, (node) => {
        node.version = version
      }),
    setReadOnly: (readOnly, door = 0) =>
      Effect.sync(() => {
        const replica = doorAt(door)
        if (replica.readOnly === readOnly) return
        replica.readOnly = readOnly
        core.disconnect(replica)
        core.deliver(state.rejoin(replica))
        core.settle()
      }),
    setLag: (door, transactions) =>
      Effect.sync(() => {
        const replica = doorAt(door)
        if (replica === state.leader && transactions > 0)
          throw new RangeError(`door ${door} leads the others: it cannot lag behind`)
        replica.lag = transactions
        core.deliver(state.rejoin(replica))
        core.settle()
      }),
    leader: Effect.sync(() => state.replicas.indexOf(state.leader)),
    isolate: (door) => Effect.sync(() => core.isolate(doorAt(door))),
    rejoin: Effect.sync(() => core.rejoin())
  }
}
