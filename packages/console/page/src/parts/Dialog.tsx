import { type JSX, onCleanup, onMount } from "solid-js"

/** A dialog of the browser: it keeps the focus inside, Escape closes it, and the focus returns to where it was. */
export const Dialog = (props: {
  readonly title: string
  readonly isWide?: boolean
  readonly onClose: () => void
  readonly children: JSX.Element
}) => {
  let element: HTMLDialogElement | undefined
  onMount(() => element?.showModal())
  // An open dialog that is taken out of the page lets the focus go: nothing else can have it until then.
  onCleanup(() => element?.close())
  return (
    <dialog
      ref={element}
      class={props.isWide ? "wide" : ""}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
    >
      <div class="stack">
        <h1>{props.title}</h1>
        {props.children}
      </div>
    </dialog>
  )
}
