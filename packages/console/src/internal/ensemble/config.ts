/** The configuration of an ensemble, and its changes. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { EnsembleConfig } from "../../EnsembleModels.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { toReadFailure } from "../failures.ts"

/** It is asked for every few seconds: it changes rarely, and its znode may be outside of the chroot. */
export const configEvents = (zk: Service): Stream.Stream<typeof EnsembleConfig.Type, ReadFailure> =>
  Stream.fromSchedule(Schedule.spaced("5 seconds")).pipe(
    (ticks) => Stream.concat(Stream.make(0), ticks),
    Stream.mapEffect(() => Outcome.retryAcrossSessions(zk.session, zk.getConfig)),
    Stream.changesWith((a, b) => a.version === b.version),
    Stream.map(({ members, version }) => ({
      version,
      members: members.map(({ addresses, client, id, role }) => ({
        id,
        role,
        addresses,
        ...(Option.isSome(client) ? { client: client.value } : {})
      }))
    })),
    Stream.mapError(toReadFailure)
  )
