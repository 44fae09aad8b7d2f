import type { Browser, Visit } from './browser.ts'
import type { FaultyProvider } from './faulty-provider.ts'
import type { PortalOf } from './portal-of.ts'
import { startTab } from './sign-in-steps.ts'

/** Signs in a user with these claims of the eID; without `email_verified` the address is not verified. */
export async function signInAs(
  { portal, provider }: { readonly portal: PortalOf; readonly provider: FaultyProvider },
  claims: { readonly sub: string; readonly email?: unknown; readonly email_verified?: unknown },
  options: { readonly browser?: Browser; readonly returnTo?: string } = {},
): Promise<{ readonly browser: Browser; readonly page: Visit }> {
  const browser = options.browser ?? portal.browser()
  const { searchParams } = await startTab(browser, `/login?returnTo=${options.returnTo ?? '/select'}`)
  const { sub } = claims
  provider.setFaults(
    {
      claims: { name: 'Some Body', email: `${sub}@example.com`, ...claims },
      userinfo: { sub, email_verified: undefined },
    },
    String(searchParams.get('nonce')),
  )
  const page = await browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
  return { browser, page }
}

/** The text of the alert or of the field error. */
export function problemOf({ $ }: Visit): string {
  return $('main [role=alert], main .ds-validation-message').text().replace(/\s+/g, ' ').trim()
}
