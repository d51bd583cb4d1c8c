/** `zk multi`: operations from a file as one transaction. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Acl from "@effect-zookeeper/client/Acl"
import * as Op from "@effect-zookeeper/client/Op"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"
import * as MultiFile from "../../MultiFile.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { readFile } from "./input.ts"
import { type Change, printChanges } from "./report.ts"

export interface Input {
  readonly file: string
}

export const multi = Effect.fnUntraced(function* ({ file }: Input) {
  const zk = yield* (yield* Client).writer("multi")
  const source = file === "-" ? "the standard input" : file
  const text = decodeUtf8(yield* readFile(file))
  if (text === undefined) return yield* new UsageError({ message: `${source} is not UTF-8; nothing was sent` })
  const operations = yield* parse(source, text)
  const writes = yield* Effect.forEach(operations, toWrite)
  const results: ReadonlyArray<unknown> = yield* zk.transaction(writes)
  yield* printChanges(operations.map((operation, index) => changeOf(operation, results[index])))
})

// ---- internal

const decodeOperation = Schema.decodeUnknownResult(Schema.fromJsonString(MultiFile.Operation))

const decodeKind = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ op: Schema.Literals(["create", "set", "delete", "check"]) }))
)

/** An operation that is not known is named before its fields are looked at. */
const decode = (line: string) =>
  Result.flatMap(decodeKind(line), () => decodeOperation(line, { onExcessProperty: "error" }))

const parse = Effect.fnUntraced(function* (source: string, text: string) {
  const operations: Array<MultiFile.Operation> = []
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const decoded = decode(line)
    if (Result.isFailure(decoded)) {
      const mistake = decoded.failure.message.trim().replaceAll(/\s*\n\s*/g, " ")
      return yield* new UsageError({
        message: `line ${index + 1} of ${source} is no operation, and nothing was sent: ${mistake}`
      })
    }
    const operation = decoded.success
    if ("data" in operation && "base64" in operation) {
      return yield* new UsageError({
        message: `line ${index + 1} of ${source} has both data and base64, and nothing was sent: choose one`
      })
    }
    operations.push(operation)
  }
  return operations.length === 0
    ? yield* new UsageError({ message: `${source} has no operations; see zk multi --help` })
    : operations
})

const toWrite = Effect.fnUntraced(function* (
  operation: MultiFile.Operation
): Effect.fn.Return<Op.Write, UsageError | ZooKeeper.StartError> {
  const { path } = operation
  switch (operation.op) {
    case "check":
      return Op.check(path, operation.version)
    case "delete":
      return Op.delete(path, { version: operation.version })
    case "set":
      return Op.setData(path, yield* dataOf(operation), { version: operation.version })
    case "create": {
      const acl = yield* Effect.forEach(operation.acl ?? [], (text) => Effect.fromResult(Acl.parse(text)))
      return Op.create(path, {
        data: yield* dataOf(operation),
        mode: operation.mode,
        ...(acl.length === 0 ? {} : { acl })
      })
    }
  }
})

const dataOf = ({
  base64,
  data
}: {
  readonly data?: string | undefined
  readonly base64?: string | undefined
}): Effect.Effect<Uint8Array, UsageError> =>
  base64 === undefined
    ? Effect.succeed(new TextEncoder().encode(data ?? ""))
    : Effect.mapError(
        Effect.fromResult(Base64.decode(base64)),
        (error) => new UsageError({ message: `a field base64 is not Base64, and nothing was sent: ${error.message}` })
      )

const changeOf = ({ op, path }: MultiFile.Operation, result: unknown): Change => {
  switch (op) {
    case "check":
      return { action: "checked", path }
    case "delete":
      return { action: "deleted", path }
    case "create":
      return { action: "created", path: typeof result === "string" ? result : path }
    case "set":
      return typeof result === "object" && result !== null && "version" in result
        ? { action: "set", path, version: Number(result.version) }
        : { action: "set", path }
  }
}
