import type { Browser, Visit } from './browser.ts'
import type { LyingProvider } from './lying-provider.ts'
import type { PortalOf } from './portal-of.ts'
import { startTab } from './sign-in-steps.ts'

/** Signs somebody in of whom the eID says this; without `email_verified` it vouches for nothing. */
export async function signInAs(
  { portal, provider }: { readonly portal: PortalOf; readonly provider: LyingProvider },
  claims: { readonly sub: string; readonly email?: unknown; readonly email_verified?: unknown },
  options: { readonly browser?: Browser; readonly returnTo?: string } = {},
): Promise<{ readonly browser: Browser; readonly page: Visit }> {
  const browser = options.browser ?? portal.browser()
  const { searchParams } = await startTab(browser, `/login?returnTo=${options.returnTo ?? '/select'}`)
  const { sub } = claims
  provider.lie(
    {
      claims: { name: 'Some Body', email: `${sub}@example.com`, ...claims },
      userinfo: { sub, email_verified: undefined },
    },
    String(searchParams.get('nonce')),
  )
  const page = await browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
  return { browser, page }
}

/** The words of the alert or of the field that is wrong. */
export function problemOf({ $ }: Visit): string {
  return $('main [role=alert], main .ds-validation-message').text().replace(/\s+/g, ' ').trim()
}
