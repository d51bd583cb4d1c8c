/** `zk create`: a new znode. */
import type { CreateMode } from "@effect-zookeeper/client/CreateMode"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import { NoTtl, UsageError } from "../frame/errors.ts"
import { SharedClient } from "../frame/sharedClient.ts"
import { printAll } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { parseAcl } from "./aclText.ts"
import { readInput } from "./input.ts"

export interface Input {
  readonly path: string
  readonly data: string | undefined
  readonly file: string | undefined
  readonly sequential: boolean
  readonly ephemeral: boolean
  readonly container: boolean
  readonly ttl: string | undefined
  readonly parents: boolean
  readonly acl: ReadonlyArray<string>
}

export const create = Effect.fnUntraced(function* (input: Input) {
  const mode = yield* modeOf(input)
  // The session of a command ends with it.
  if (input.ephemeral && (yield* SharedClient) === undefined) {
    const message =
      "an ephemeral znode would end with this command: create it at the prompt of `zk shell`, whose session lives on; zk lock and zk elect hold one while another command runs"
    return yield* new UsageError({ message })
  }
  const ttl = input.ttl === undefined ? undefined : yield* parseDuration("--ttl", input.ttl)
  const acl = yield* parseAcl(input.acl, "--acl")
  const zk = yield* (yield* Client).writer("create")
  const data = yield* readInput(input.data, input.file)
  const options = { mode, ttl, data, ...(acl.length === 0 ? {} : { acl }) }
  const creating = input.parents ? zk.createWithParents(input.path, options) : zk.create(input.path, options)
  const path = yield* Effect.mapError(creating, (error) =>
    ttl !== undefined && error._tag === "ServerRefused" && error.name === "Unimplemented"
      ? new NoTtl({ path: input.path })
      : error
  )
  yield* printAll(Output.Change, Stream.make({ action: "created" as const, path }), () => `${shown(path)}\n`)
})

// ---- internal

const modeOf = (input: Input): Effect.Effect<CreateMode, UsageError> => {
  if (input.container && (input.sequential || input.ttl !== undefined)) {
    return Effect.fail(new UsageError({ message: "a container is neither sequential nor has it a TTL: choose one" }))
  }
  if (input.ephemeral && (input.container || input.ttl !== undefined)) {
    return Effect.fail(new UsageError({ message: "an ephemeral znode is no container, and has no TTL: choose one" }))
  }
  if (input.container) return Effect.succeed("container")
  if (input.ephemeral) return Effect.succeed(input.sequential ? "ephemeralSequential" : "ephemeral")
  if (input.ttl !== undefined) {
    return Effect.succeed(input.sequential ? "persistentSequentialWithTtl" : "persistentWithTtl")
  }
  return Effect.succeed(input.sequential ? "persistentSequential" : "persistent")
}
