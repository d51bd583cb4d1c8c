/** The version of `zk`, for commands that tell it to others. */
import * as Context from "effect/Context"

export const Version = Context.Reference<string>("@effect-zookeeper/cli/Version", { defaultValue: () => "0.0.0" })
