/** The types of the operation table: `tsc` checks this file. */
import { describe, expectTypeOf, it } from "@effect/vitest"
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Jute from "../../src/Jute.ts"
import type { JuteError } from "../../src/JuteError.ts"
import type * as Operation from "../../src/Operation.ts"
import type * as Operations from "../../src/Operations.ts"
import * as Records from "../../src/Records.ts"
import * as ServerError from "../../src/ServerError.ts"

type Stat = Schema.Schema.Type<typeof Records.Stat>

describe("the types of an operation", () => {
  it("name exactly the errors of its row", () => {
    expectTypeOf<Operation.Error<typeof Operations.getData>>().toEqualTypeOf<ServerError.NoNode | ServerError.NoAuth>()
    expectTypeOf<Operation.Error<typeof Operations.deleteNode>>().toEqualTypeOf<
      ServerError.NoNode | ServerError.NoAuth | ServerError.BadVersion | ServerError.NotEmpty
    >()
    expectTypeOf<Operation.Error<typeof Operations.create>>().toEqualTypeOf<
      | ServerError.NodeExists
      | ServerError.NoNode
      | ServerError.NoAuth
      | ServerError.InvalidACL
      | ServerError.NoChildrenForEphemerals
      | ServerError.QuotaExceeded
    >()
    expectTypeOf<Operation.Error<typeof Operations.removeWatches>>().toEqualTypeOf<ServerError.NoWatcher>()
    expectTypeOf<Operation.Error<typeof Operations.sync>>().toEqualTypeOf<never>()
    expectTypeOf<Operation.Error<typeof Operations.multi>>().toEqualTypeOf<never>()
  })

  it("are those of its records", () => {
    expectTypeOf<Operation.Request<typeof Operations.getData>>().toEqualTypeOf<{
      readonly path: string
      readonly watch: boolean
    }>()
    expectTypeOf<Operation.Response<typeof Operations.getData>>().toEqualTypeOf<{
      readonly data: Uint8Array<ArrayBufferLike> | null
      readonly stat: Stat
    }>()
    expectTypeOf<Operation.Request<typeof Operations.ping>>().toEqualTypeOf<void>()
    expectTypeOf<Operation.Response<typeof Operations.deleteNode>>().toEqualTypeOf<void>()
    expectTypeOf<Operation.Response<typeof Operations.getChildren>>().toEqualTypeOf<{
      readonly children: ReadonlyArray<string>
    }>()
    expectTypeOf<Operation.Request<typeof Operations.multi>>().toEqualTypeOf<ReadonlyArray<Operations.MultiOp>>()
    expectTypeOf<Operation.Response<typeof Operations.multi>>().toEqualTypeOf<ReadonlyArray<Operations.MultiResult>>()
  })

  it("keep its name", () => {
    expectTypeOf<(typeof Operations.deleteNode)["name"]>().toEqualTypeOf<"delete">()
  })

  it("accept only the request of an operation beside its name in a multi", () => {
    expectTypeOf<{ operation: "check"; request: { path: string; version: number } }>().toExtend<Operations.MultiOp>()
    expectTypeOf<{
      operation: "create"
      request: { path: string; version: number }
    }>().not.toExtend<Operations.MultiOp>()
    expectTypeOf<{
      operation: "exists"
      request: { path: string; watch: boolean }
    }>().not.toExtend<Operations.MultiOp>()
  })
})

describe("the types of errors", () => {
  it("made from a code are those of the names that were given", () => {
    const error = ServerError.fromCode(-101, ["NoNode", "NotEmpty"], { path: "/", operation: "delete" })
    expectTypeOf(error).toEqualTypeOf<ServerError.NoNode | ServerError.NotEmpty | undefined>()
  })
})

describe("the types of a codec", () => {
  it("are those of its schema", () => {
    const codec = Jute.codec(Records.Stat)
    expectTypeOf<Jute.Value<typeof codec>>().toEqualTypeOf<Stat>()
    expectTypeOf<Pick<Stat, keyof Stat>>().toEqualTypeOf<{
      readonly czxid: bigint
      readonly mzxid: bigint
      readonly ctime: number
      readonly mtime: number
      readonly version: number
      readonly cversion: number
      readonly aversion: number
      readonly ephemeralOwner: bigint
      readonly dataLength: number
      readonly numChildren: number
      readonly pzxid: bigint
    }>()
    expectTypeOf(Jute.decode(codec, new Uint8Array(68))).toEqualTypeOf<Result.Result<Stat, JuteError>>()
  })
})
