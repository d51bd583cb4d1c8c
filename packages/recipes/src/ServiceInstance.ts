/**
 * An instance of a service, as of Curator's `ServiceInstance`.
 *
 * @since 0.1.0
 */
import { Opaque } from "@effect-zookeeper/client/PromiseAdapter"

/**
 * How long an instance stays registered.
 *
 * - `DYNAMIC`: until the session of the process that registered it ends.
 * - `STATIC`: until its Scope closes; it stays when the process dies.
 * - `PERMANENT`: until a client deletes it.
 * - `DYNAMIC_SEQUENTIAL`: `DYNAMIC` with a number behind its id. It can only be read.
 *
 * @category models
 * @since 0.1.0
 */
export type ServiceType = "DYNAMIC" | "STATIC" | "PERMANENT" | "DYNAMIC_SEQUENTIAL"

/**
 * How to build a URI of an instance: texts, and names of variables.
 *
 * @category models
 * @since 0.1.0
 */
export interface UriSpec {
  readonly parts: ReadonlyArray<{ readonly value: string; readonly variable: boolean }>
}

/**
 * An instance of a service. It is immutable.
 *
 * @category models
 * @since 0.1.0
 */
export class Instance<out A> extends Opaque {
  /** The name of the service. */
  readonly name: string
  /** Unique within the service. */
  readonly id: string
  /** A host name or an address. */
  readonly address: string | undefined
  readonly port: number | undefined
  readonly sslPort: number | undefined
  readonly payload: A
  /** Milliseconds since 1970, by the clock of the process that registered it. */
  readonly registrationTimeUTC: number
  readonly serviceType: ServiceType
  readonly uriSpec: UriSpec | undefined
  /** Whether providers may pick it. */
  readonly enabled: boolean

  constructor(fields: {
    readonly name: string
    readonly id: string
    readonly address?: string | null | undefined
    readonly port?: number | null | undefined
    readonly sslPort?: number | null | undefined
    readonly payload: A
    readonly registrationTimeUTC?: number | undefined
    readonly serviceType?: ServiceType | null | undefined
    readonly uriSpec?: UriSpec | null | undefined
    readonly enabled?: boolean | undefined
  }) {
    super()
    this.name = fields.name
    this.id = fields.id
    this.address = fields.address ?? undefined
    this.port = fields.port ?? undefined
    this.sslPort = fields.sslPort ?? undefined
    this.payload = fields.payload
    this.registrationTimeUTC = fields.registrationTimeUTC ?? 0
    this.serviceType = fields.serviceType ?? "DYNAMIC"
    this.uriSpec = fields.uriSpec ?? undefined
    this.enabled = fields.enabled ?? true
  }
}
