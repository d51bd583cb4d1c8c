/**
 * Operations of clients and of recipes, recorded with what the checker needs to know of their results: simulated
 * clients and clients of real ensembles record the same.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import type { Counter } from "@effect-zookeeper/recipes/Counter"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Answered } from "./History.ts"
import type { Recorder } from "./Recorder.ts"

/** The part of a Stat that the checker compares. */
export const answerOf = ({ czxid, mzxid, version }: Stat): Answered => ({ version, czxid, mzxid })

/** The same with the data. */
export const answerWithData = ({ data, stat }: ZooKeeper.DataAndStat): Answered => ({
  value: new TextDecoder().decode(data),
  ...answerOf(stat)
})

/** For operations of which only the success matters. */
export const noAnswer = (): Answered => ({})

/** Creates a znode that clients read and write. */
export const createRegister = (recorder: Recorder, zk: ZooKeeper.Service, path: string) => {
  const value = recorder.unique()
  return recorder.record({ f: "create", path, value }, zk.createWithStat(path, { data: value }), ({ stat }) =>
    answerOf(stat)
  )
}

/** Writes a value that no other operation writes; with a version, only if the znode has it. */
export const write = (recorder: Recorder, zk: ZooKeeper.Service, path: string, version?: number) =>
  Effect.suspend(() => {
    const value = recorder.unique()
    const asked = { f: "write", path, value, expected: version } as const
    return recorder.record(asked, zk.setData(path, value, { version }), answerOf)
  })

/** Reads from the server that the client is connected to, which may lag behind. */
export const read = (recorder: Recorder, zk: ZooKeeper.Service, path: string) =>
  recorder.record({ f: "read", path, synced: false }, zk.get(path), answerWithData)

/** Reads and watches; `id` is that of the watch, to which its event belongs. */
export const watch = (recorder: Recorder, zk: ZooKeeper.Service, path: string, id: string) =>
  recorder.record({ f: "watch", path }, zk.getAndWatch(path), answerWithData, id)

/** Records each state that `dataChanges` shows, for the stream `id`; `onGone` is called when the znode is gone. */
export const observe = (recorder: Recorder, zk: ZooKeeper.Service, path: string, id: string, onGone: () => void) => {
  recorder.note({ f: "observe", path }, id)
  return Stream.runForEach(zk.dataChanges(path), (value) =>
    Effect.sync(() => {
      if (Option.isNone(value)) onGone()
      else recorder.note({ f: "observed", path, of: id, ...answerOf(value.value.stat) })
    })
  )
}

/** Adds a number to a counter. */
export const add = (recorder: Recorder, path: string, counter: Counter, by: number) =>
  recorder.record({ f: "increment", path, by }, counter.add(BigInt(by)), ({ post }) => ({ count: Number(post) }))

/** The last value of a counter, which the increments must explain. */
export const total = (recorder: Recorder, zk: ZooKeeper.Service, path: string, counter: Counter) =>
  recorder.record({ f: "total", path }, Effect.andThen(zk.sync(path), counter.get), (count) => ({
    count: Number(count)
  }))
