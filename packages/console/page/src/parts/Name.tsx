import { For } from "solid-js"
import { pieces } from "../model/text.ts"

/** Foreign text: kept apart from the direction of what is around it, with visible escapes, and never run. */
export const Name = (props: { readonly text: string }) => (
  <bdi class="name" dir="ltr">
    <For each={pieces(props.text)}>
      {(piece) => (piece.isEscape ? <span class="escape">{piece.text}</span> : piece.text)}
    </For>
  </bdi>
)
