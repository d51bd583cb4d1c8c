/** Parties, instances of services and double barriers of a subtree: znodes whose children are the members of a group. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Group } from "@effect-zookeeper/console/EnsembleModels"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Visited } from "../../TreeWalk.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import type { Reader } from "../frame/Client.ts"

/** The group of a znode; undefined where its children are no members. A member is ephemeral, and contends for nothing. */
export const groupOf = Effect.fnUntraced(function* (
  zk: Reader,
  { children, path }: Pick<Visited, "children" | "path">
): Effect.fn.Return<Group | undefined, ReadError> {
  if (Layouts.contenders(children).length > 0 || Layouts.queueEntries(children).length > 0) return undefined
  const names = children.filter((name) => name !== ready)
  const [first] = names
  if (first === undefined || (yield* readMember(zk, path, first)) === "other") return undefined
  const read = yield* Effect.forEach(names.slice(0, shown), (name) => readMember(zk, path, name), { concurrency: 16 })
  if (read.includes("other")) return undefined
  // One that has left since the names were read says nothing about the others.
  const members = read.filter((member) => typeof member !== "string")
  if (members.length === 0) return undefined
  const isServices = members.every(({ address }) => address !== undefined)
  return {
    path,
    kind: isServices ? "services" : children.includes(ready) ? "doubleBarrier" : "party",
    members,
    more: names.length - read.length
  }
})

// ---- internal

/** The znode of a double barrier that says that it is open. */
const ready = "ready"

/** Members that are read; further ones are counted. */
const shown = 50

type Member = Group["members"][number]

/** `other` for a znode that is not ephemeral, or may not be read. */
const readMember = Effect.fnUntraced(function* (zk: Reader, parent: string, name: string) {
  const path = ZnodePath.join(parent, name)
  const stat = yield* Effect.catchTags(zk.stat(path), { NoAuth: () => Effect.succeed("other" as const) })
  if (stat === "other") return stat
  if (Option.isNone(stat)) return "gone"
  if (stat.value.ephemeralOwner === 0n) return "other"
  const data = yield* Effect.catchTags(zk.getData(path), {
    NoNode: () => Effect.succeed("gone" as const),
    NoAuth: () => Effect.succeed(new Uint8Array())
  })
  if (data === "gone") return data
  const text = decodeUtf8(data) ?? ""
  const instance = Option.getOrUndefined(decodeInstance(text))
  const member: Member = { path, session: stat.value.ephemeralOwner, since: stat.value.ctime }
  if (instance === undefined) return text === "" || text.length > 200 ? member : { ...member, identifier: text }
  const port = instance.port ?? instance.sslPort
  return {
    ...member,
    identifier: `${instance.name} ${instance.id}`,
    address: `${instance.address ?? "?"}${typeof port === "number" ? `:${port}` : ""}`
  }
})

const Port = Schema.optionalKey(Schema.NullOr(Schema.Number))

/** An instance of a service, as Curator and this library write it. */
const decodeInstance = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      name: Schema.String,
      id: Schema.String,
      address: Schema.optionalKey(Schema.NullOr(Schema.String)),
      port: Port,
      sslPort: Port,
      serviceType: Schema.String
    })
  )
)
