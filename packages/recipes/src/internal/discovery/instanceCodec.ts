/**
 * Instances as the data of znodes, in the JSON of Curator's `JsonInstanceSerializer`.
 *
 * Curator writes every field, with null for missing values, and `@class` into a payload that is an object of a class.
 * Before its version 4 it has no field `enabled`, and refuses unknown fields: so only `false` is written.
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Instance } from "../../ServiceInstance.ts"
import { makeDataCodec } from "../shared/dataCodec.ts"

export interface InstanceCodec<A> {
  readonly encode: (instance: Instance<A>) => Effect.Effect<Uint8Array, InvalidArgument>
  /** The instances among the children of a service, by their ids; other children are logged once, and left out. */
  readonly decodeAll: (
    path: string,
    children: ReadonlyMap<string, DataAndStat>
  ) => Effect.Effect<ReadonlyArray<Instance<A>>>
}

export const instanceCodec = <A, I>(
  payload: Schema.Codec<A, I>,
  payloadClass: string | undefined
): InstanceCodec<A> => {
  const { decode, encode } = makeDataCodec(Schema.toCodecJson(wire(payload)), {
    encode: (json) => new TextEncoder().encode(JSON.stringify(withClass(json, payloadClass))),
    decode: (data): Schema.Json => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data))
  })
  const decodeOne = (path: string, { data }: DataAndStat): Effect.Effect<Instance<A> | undefined> =>
    decode(path, data).pipe(
      Effect.map((fields) => new Instance<A>(fields)),
      Effect.catch((error) => Effect.as(Effect.logWarning(`${error.message}; it is left out`), undefined))
    )
  /** Instances that were decoded already: caches give the same object for as long as a znode does not change. */
  const known = new WeakMap<DataAndStat, Instance<A> | false>()
  return {
    encode: ({ address, enabled, id, name, payload, port, registrationTimeUTC, serviceType, sslPort, uriSpec }) =>
      encode({
        name,
        id,
        address: address ?? null,
        port: port ?? null,
        sslPort: sslPort ?? null,
        payload,
        registrationTimeUTC,
        serviceType,
        uriSpec: uriSpec ?? null,
        ...(enabled ? {} : { enabled })
      }),
    decodeAll: Effect.fnUntraced(function* (path: string, children: ReadonlyMap<string, DataAndStat>) {
      const instances: Array<Instance<A>> = []
      for (const [name, znode] of children) {
        let instance = known.get(znode)
        if (instance === undefined) {
          instance = (yield* decodeOne(ZnodePath.join(path, name), znode)) ?? false
          known.set(znode, instance)
        }
        if (instance !== false) instances.push(instance)
      }
      return instances.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    })
  }
}

// ---- internal

const optional = <S extends Schema.Top>(schema: S) => Schema.optional(Schema.NullOr(schema))

const wire = <A, I>(payload: Schema.Codec<A, I>) =>
  Schema.Struct({
    name: Schema.String,
    id: Schema.String,
    address: optional(Schema.String),
    port: optional(Schema.Int),
    sslPort: optional(Schema.Int),
    payload,
    registrationTimeUTC: Schema.optional(Schema.Number),
    serviceType: optional(Schema.Literals(["DYNAMIC", "STATIC", "PERMANENT", "DYNAMIC_SEQUENTIAL"])),
    uriSpec: optional(
      Schema.Struct({ parts: Schema.Array(Schema.Struct({ value: Schema.String, variable: Schema.Boolean })) })
    ),
    enabled: Schema.optional(Schema.Boolean)
  })

const withClass = (instance: Schema.Json, payloadClass: string | undefined): Schema.Json => {
  if (payloadClass === undefined || !isObject(instance) || !isObject(instance["payload"])) return instance
  return { ...instance, payload: { "@class": payloadClass, ...instance["payload"] } }
}

const isObject = (json: Schema.Json | undefined): json is Schema.JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json)
