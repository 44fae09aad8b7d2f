/** Runs in the page: the time from the next input until the results are painted, in milliseconds. */
globalThis.timeNextLetter = () => {
  globalThis.updated = new Promise((resolve) => {
    let pressed = 0
    const press = () => {
      pressed = performance.now()
    }
    document.addEventListener('input', press, { once: true, capture: true })
    const watch = new MutationObserver(() => {
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed)))
    })
    watch.observe(document.getElementById('found'), { childList: true, characterData: true, subtree: true })
  })
}
