import type * as Models from "@effect-zookeeper/console/Models"

/** A znode that is there. */
export type Present = Extract<Models.ZnodeEvent, { readonly _tag: "present" }>
