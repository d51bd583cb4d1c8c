import type { JSX } from "solid-js"
import { Icon } from "./Icon.tsx"

export type Tone = "info" | "good" | "warn" | "bad"

/** Something that a person should know, in the place that it is about. */
export const Note = (props: { readonly tone?: Tone; readonly children: JSX.Element }) => (
  <div class={`note ${props.tone ?? "info"}`} role={props.tone === "bad" ? "alert" : undefined}>
    <Icon name={props.tone ?? "info"} />
    <div>{props.children}</div>
  </div>
)
