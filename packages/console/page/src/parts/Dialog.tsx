import { type JSX, onCleanup, onMount } from "solid-js"

/** A dialog of the browser: it keeps the focus inside, Escape closes it, and the focus returns to where it was. */
export const Dialog = (props: {
  readonly title: string
  readonly isWide?: boolean
  readonly onClose: () => void
  readonly children: JSX.Element
}) => {
  let element: HTMLDialogElement | undefined
  const before = document.activeElement
  onMount(() => element?.showModal())
  onCleanup(() => {
    if (before instanceof HTMLElement && before.isConnected) before.focus()
  })
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
