/** A line of the file of `zk multi`: its operation, or the mistake in the words of its fields. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as MultiFile from "../../MultiFile.ts"
import { shown } from "../output/text.ts"
import { nearest } from "../output/nearest.ts"

/** The operation of a line, or what is wrong with it. The mistake repeats no value, for an ACL may have a secret. */
export const decodeOperation = (line: string): Result.Result<MultiFile.Operation, string> => {
  if (line.startsWith("[")) {
    return Result.fail(`it begins an array, and ${eachLine}; \`jq -c '.[]'\` makes lines of an array`)
  }
  const parsed = parseJson(line)
  if (Result.isFailure(parsed)) return Result.fail(`it is not JSON; ${eachLine}`)
  if (!isObject(parsed.success)) return Result.fail(`it is no object; ${eachLine}`)
  const given = parsed.success
  if (!isOp(given["op"])) return Result.fail(unknownOp(given["op"]))
  const mistake = mistakeOf(given["op"], given)
  return mistake === undefined
    ? Result.mapError(decode(given), (error) => error.message.trim().replaceAll(/\s*\n\s*/g, " "))
    : Result.fail(mistake)
}

/** The operations, each with its fields in the order of its Schema, without `op`. */
export const fieldsOf: ReadonlyMap<Op, ReadonlyArray<string>> = new Map(
  MultiFile.Operation.members.map(({ fields }): [Op, ReadonlyArray<string>] => [
    fields.op.literal,
    ["path", ...Object.keys(fields).filter((name) => name !== "op" && name !== "path")]
  ])
)

// ---- internal

type Op = MultiFile.Operation["op"]

const eachLine = 'each line is one operation, as in {"op":"delete","path":"/a"}'

const parseJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

const decode = Schema.decodeUnknownResult(MultiFile.Operation)

const isObject = Schema.is(Schema.Record(Schema.String, Schema.Unknown))

const ops = [...fieldsOf.keys()]

const isOp = Schema.is(Schema.Literals(MultiFile.Operation.members.map(({ fields }) => fields.op.literal)))

/** The values that a field takes, by its name. */
const takes: Readonly<Record<string, string>> = {
  path: "a string",
  data: "a string",
  encoding: '"utf8" or "base64"',
  base64: "a string of Base64",
  mode: '"persistent", "persistentSequential" or "container"',
  acl: 'an array of strings, as in ["world:anyone:r"]',
  version: "a whole number"
}

const unknownOp = (op: unknown): string => {
  const known = `op is one of ${listed(ops)}`
  if (op === undefined) return `it has no op; ${known}`
  if (typeof op !== "string") return known
  return `there is no operation ${quoted(op)}${meant(op, ops)}; ${known}`
}

/** The first mistake in the fields of an operation. */
const mistakeOf = (op: Op, given: Readonly<Record<string, unknown>>): string | undefined => {
  const fields = fieldsOf.get(op) ?? []
  const unknown = Object.keys(given).find((name) => name !== "op" && !fields.includes(name))
  if (unknown !== undefined) {
    return `${op} has no field ${quoted(unknown)}${meant(unknown, fields)}; its fields are ${listed(fields)}`
  }
  if (given["path"] === undefined) return `${op} has no path, which it needs`
  const wrong = fields.find((name) => given[name] !== undefined && !isRight(op, name, given[name]))
  return wrong === undefined ? undefined : `${wrong} of ${op} must be ${takes[wrong]}`
}

/** Whether an operation takes this value of a field. */
const isRight = (op: Op, name: string, value: unknown): boolean =>
  Result.isSuccess(decode({ op, path: "/", [name]: value }))

const listed = (names: ReadonlyArray<string>): string => `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`

const meant = (word: string, known: ReadonlyArray<string>): string => {
  const near = nearest(word, known)
  return near === undefined ? "" : ` (perhaps ${near}?)`
}

/** Text of the file, so that it cannot act on the terminal, nor fill it. */
const quoted = (word: string): string => JSON.stringify(shown(word.length > 40 ? `${word.slice(0, 40)}…` : word))
