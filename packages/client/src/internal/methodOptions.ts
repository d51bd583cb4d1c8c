/**
 * The names of the options that each method takes.
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type {
  CreateOptions,
  CreateWithParentsOptions,
  DeleteOptions,
  ReconfigureOptions,
  SetDataOptions,
  UpdateOptions,
  ZnodeOptions
} from "../Models.ts"
import type { Service } from "../Service.ts"

/** The type of a method's options, which are its last parameter. */
type OptionsOf<K extends keyof Service> = Service[K] extends (...args: infer P) => unknown
  ? Required<P> extends readonly [...Array<unknown>, infer O extends object]
    ? O
    : never
  : never

const znode: { readonly [K in keyof ZnodeOptions]-?: true } = { data: true, acl: true, mode: true, ttl: true }

const withoutData: { readonly [K in keyof Omit<CreateOptions, "data">]-?: true } = {
  acl: true,
  mode: true,
  ttl: true,
  protected: true,
  idempotent: true
}

const create: { readonly [K in keyof CreateOptions]-?: true } = { ...withoutData, data: true }

const example = '{ data: "...", mode: "ephemeral" }'

export const znodeOptions = KnownOptions.make<ZnodeOptions>(znode, example)
export const createOptions = KnownOptions.make<CreateOptions>(create, example)
/** Of a typed znode, whose data are its value. */
export const typedCreateOptions = KnownOptions.make<Omit<CreateOptions, "data">>(withoutData, '{ mode: "ephemeral" }')
export const createWithParentsOptions = KnownOptions.make<CreateWithParentsOptions>(
  { ...create, parentAcl: true },
  example
)
export const createOrSetOptions = KnownOptions.make<OptionsOf<"createOrSet">>(
  { acl: true, mode: true, ttl: true, parentAcl: true },
  '{ mode: "ephemeral" }'
)
export const ensurePathOptions = KnownOptions.make<OptionsOf<"ensurePath">>({ acl: true }, "{ acl: Acl.open }")
export const setDataOptions = KnownOptions.make<SetDataOptions>({ version: true, idempotent: true }, "{ version: 0 }")
export const setAclOptions = KnownOptions.make<OptionsOf<"setAcl">>({ version: true }, "{ version: 0 }")
export const updateOptions = KnownOptions.make<UpdateOptions>({ retry: true }, "{ retry: Schedule.recurs(3) }")
export const deleteOptions = KnownOptions.make<DeleteOptions>(
  { version: true, guaranteed: true, idempotent: true },
  "{ version: 0 }"
)
export const eventsOptions = KnownOptions.make<OptionsOf<"events">>(
  { recursive: true, onReady: true },
  "{ recursive: true }"
)
export const reconfigureOptions = KnownOptions.make<ReconfigureOptions>(
  { joining: true, leaving: true, members: true, fromConfig: true },
  "{ leaving: [3] }"
)
