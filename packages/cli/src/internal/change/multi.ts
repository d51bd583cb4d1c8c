/** `zk multi`: operations from a file as one transaction. */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Base64 from "effect/encoding/Base64"
import type * as MultiFile from "../../MultiFile.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { parseAcl } from "./aclText.ts"
import { readFile } from "./input.ts"
import { decodeOperation } from "./multiLine.ts"
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
  const results: ReadonlyArray<unknown> = yield* zk.transaction(operations.map(({ write }) => write))
  yield* printChanges(operations.map(({ operation }, index) => changeOf(operation, results[index])))
})

// ---- internal

interface Parsed {
  readonly operation: MultiFile.Operation
  readonly write: Op.Write
}

/** Each mistake is one of a line, so that it is found. */
const parse = Effect.fnUntraced(function* (source: string, text: string) {
  const operations: Array<Parsed> = []
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const refuse = (mistake: string) =>
      new UsageError({ message: `line ${index + 1} of ${source} is no operation, and nothing was sent: ${mistake}` })
    const decoded = decodeOperation(line)
    if (Result.isFailure(decoded)) return yield* refuse(decoded.failure)
    const operation = decoded.success
    const write = yield* Effect.mapError(toWrite(operation), ({ message }) => refuse(message))
    operations.push({ operation, write })
  }
  return operations.length === 0
    ? yield* new UsageError({ message: `${source} has no operations; see zk multi --help` })
    : operations
})

const toWrite = Effect.fnUntraced(function* (
  operation: MultiFile.Operation
): Effect.fn.Return<Op.Write, UsageError | InvalidArgument> {
  const isPrefix = operation.op === "create" && operation.mode === "persistentSequential"
  const path = yield* Effect.fromResult((isPrefix ? ZnodePath.validateSequential : ZnodePath.validate)(operation.path))
  switch (operation.op) {
    case "check":
      return Op.check(path, operation.version)
    case "delete":
      return Op.delete(path, { version: operation.version })
    case "set":
      return Op.setData(path, yield* dataOf(operation), { version: operation.version })
    case "create": {
      const acl = yield* parseAcl(operation.acl ?? [], "acl")
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
  data,
  encoding
}: Pick<Extract<MultiFile.Operation, { readonly op: "set" }>, "data" | "base64" | "encoding">): Effect.Effect<
  Uint8Array,
  UsageError
> => {
  if (base64 !== undefined && data !== undefined) {
    return Effect.fail(new UsageError({ message: "it has both data and base64: choose one" }))
  }
  if (encoding !== undefined && data === undefined) {
    return Effect.fail(new UsageError({ message: "it has encoding, which is for data, and no data" }))
  }
  const [field, encoded] = encoding === "base64" ? ["data", data] : ["base64", base64]
  if (encoded === undefined) return Effect.succeed(new TextEncoder().encode(data ?? ""))
  return Effect.mapError(
    Effect.fromResult(Base64.decode(encoded)),
    (error) => new UsageError({ message: `its ${field} is not Base64: ${error.message}` })
  )
}

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
