/** Copy buttons stand hidden in the page: without JavaScript there would be nothing behind them. */
export function showCopyButtons(root) {
  for (const button of root.querySelectorAll('button[data-copy]')) {
    button.hidden = false
    const says = button.querySelector('.live-text')
    const label = says.textContent
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy)
      } catch {
        // Not allowed, or no https: mark the text, so that the keyboard can copy it.
        getSelection().selectAllChildren(button.previousElementSibling)
        return
      }
      says.textContent = button.dataset.copied
      setTimeout(() => {
        says.textContent = label
      }, 2000)
    })
  }
}
