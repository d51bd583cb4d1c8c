/** `zk reconfig`: other members for the ensemble. */
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import * as Effect from "effect/Effect"
import { decodeUtf8 } from "../../ZnodeData.ts"
import { Client } from "../frame/Client.ts"
import { Conflict, UsageError } from "../frame/errors.ts"
import { printConfig } from "../look/config.ts"
import { Printer } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { confirm } from "./ask.ts"
import { readFile } from "./input.ts"

export interface Input {
  readonly add: ReadonlyArray<string>
  readonly remove: ReadonlyArray<string>
  readonly members: ReadonlyArray<string>
  readonly file: string | undefined
  readonly fromVersion: string | undefined
  readonly yes: boolean
}

/** It changes the configuration that was read and shown, or nothing. */
export const reconfig = Effect.fnUntraced(function* (input: Input) {
  const { fromVersion, joining, leaving, members } = yield* wantedOf(input)
  const zk = yield* (yield* Client).writer("reconfig")
  const current = yield* zk.getConfig
  if (current.members.length === 0) {
    return yield* new Conflict({ message: "a single server (standalone) has no members to change" })
  }
  const fromConfig = fromVersion ?? current.version
  if (fromConfig !== current.version) {
    return yield* new Conflict({
      message: `the configuration has version ${hex(current.version)}, and not ${hex(fromConfig)}; nothing was changed`
    })
  }
  const before = rolesOf(current)
  const after = members.length > 0 ? new Map(members) : new Map([...before, ...joining])
  for (const id of leaving) after.delete(id)
  const unknown = leaving.find((id) => !before.has(id))
  if (unknown !== undefined) {
    return yield* new Conflict({ message: `there is no member ${unknown} to remove; nothing was changed` })
  }
  const participants = [...after.values()].filter(({ isParticipant }) => isParticipant).length
  if (participants === 0) {
    return yield* new UsageError({ message: "no participant would be left; nothing was changed" })
  }
  if (participants % 2 === 0) {
    const { note } = yield* Printer
    yield* note(`${participants} participants bear no more failures than ${participants - 1}`)
  }
  yield* confirm(question(before, after), input.yes)
  const changed = yield* zk.reconfigure({
    fromConfig,
    ...(members.length > 0 ? { members: texts(members) } : { joining: texts(joining), leaving })
  })
  yield* printConfig(changed, false)
})

// ---- internal

interface Member {
  /** As servers write it: `server.4=host:2888:3888:participant;2181`. */
  readonly text: string
  readonly isParticipant: boolean
}

type Members = ReadonlyMap<string, Member>

const texts = (all: ReadonlyArray<readonly [string, Member]>) => all.map(([, { text }]) => text)

const hex = (version: bigint): string => version.toString(16)

const wantedOf = Effect.fnUntraced(function* (input: Input) {
  const file = input.file === undefined ? undefined : yield* readConfigFile(input.file)
  const joining = yield* Effect.forEach(input.add.flatMap(split), parseMember)
  const leaving = yield* Effect.forEach(input.remove.flatMap(split), parseId)
  const members = yield* Effect.forEach(file?.members ?? input.members.flatMap(split), parseMember)
  const ways = [joining.length + leaving.length, input.members.length, file === undefined ? 0 : 1]
  if (ways.filter((number) => number > 0).length !== 1) {
    return yield* new UsageError({
      message: "name members with --add and --remove, or all of them with --members or with --file: one of the three"
    })
  }
  if (file !== undefined && members.length === 0) {
    return yield* new UsageError({ message: `${input.file} has no line such as server.1=host:2888:3888;2181` })
  }
  const fromVersion = input.fromVersion ?? file?.version
  return {
    joining,
    leaving,
    members,
    fromVersion: fromVersion === undefined ? undefined : yield* parseVersion(fromVersion)
  }
})

const split = (text: string): ReadonlyArray<string> => text.split(",").map((part) => part.trim())

/** `zk config --raw` prints such a file. */
const readConfigFile = Effect.fnUntraced(function* (file: string) {
  const text = decodeUtf8(yield* readFile(file))
  if (text === undefined) return yield* new UsageError({ message: `${file} is not UTF-8; nothing was sent` })
  const lines = text.split("\n").map((line) => line.trim())
  return {
    members: lines.filter((line) => line.startsWith("server.")),
    version: lines.find((line) => line.startsWith("version="))?.slice("version=".length)
  }
})

/** `4=host:2888:3888;2181` is `server.4=…`. */
const parseMember = (text: string): Effect.Effect<readonly [id: string, Member], UsageError> => {
  const match = /^(?:server\.)?0*(\d{1,15})=([^;]+(?:;.+)?)$/.exec(text)
  return match === null
    ? Effect.fail(
        new UsageError({
          message: `${JSON.stringify(text)} is no member; write it as in server.4=host:2888:3888:participant;2181`
        })
      )
    : Effect.succeed([match[1] ?? "", toMember(`server.${match[1]}=${match[2]}`)])
}

const toMember = (text: string): Member => ({ text, isParticipant: !/:observer(?:$|[;|])/.test(text) })

const parseId = (text: string): Effect.Effect<string, UsageError> =>
  /^\d{1,15}$/.test(text)
    ? Effect.succeed(String(Number(text)))
    : Effect.fail(new UsageError({ message: `--remove ${JSON.stringify(text)} is no number of a member` }))

const parseVersion = (text: string): Effect.Effect<bigint, UsageError> =>
  /^(0x)?[0-9a-f]{1,16}$/i.test(text)
    ? Effect.succeed(BigInt.asIntN(64, BigInt(`0x${text.replace(/^0x/i, "")}`)))
    : Effect.fail(
        new UsageError({
          message: `${JSON.stringify(text)} is no version of a configuration; \`zk config\` prints it in hexadecimal`
        })
      )

const rolesOf = ({ raw }: EnsembleConfig): Members =>
  new Map(
    raw
      .split("\n")
      .map((line) => line.trim())
      .flatMap((line) => {
        const id = /^server\.(\d+)=/.exec(line)?.[1]
        return id === undefined ? [] : [[id, toMember(line)] as const]
      })
  )

const question = (before: Members, after: Members): string => {
  const added = [...after].filter(([id]) => !before.has(id))
  const removed = [...before].filter(([id]) => !after.has(id))
  const changed = [...after].filter(([id, { text }]) => before.has(id) && before.get(id)?.text !== text)
  const parts = [...part("add", added), ...part("remove", removed), ...part("change", changed)]
  const text = parts.length === 0 ? "keep the members as they are" : parts.join("; ")
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}?`
}

const part = (verb: string, all: ReadonlyArray<readonly [string, Member]>): ReadonlyArray<string> =>
  all.length === 0 ? [] : [`${verb} ${all.map(([, { text }]) => shown(text)).join(", ")}`]
