"""Options of a session for requests: timeouts, proxies, certificates and limits, read once when it is created."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from modelarts._settings import converters
from modelarts._settings.converters import NO_PROXY
from modelarts._settings.home import variable
from modelarts._settings.table import Value
from modelarts.errors import ConfigError, shortened

if TYPE_CHECKING:
    import ssl

# Variables in which HTTP tools look for certificate authorities, in this order.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class TransportOptions(NamedTuple):
    """How a session sends requests.

    Args:
        connect_timeout, read_timeout, total_timeout: in seconds.
        verify: whether certificates are checked, or a file or folder of the authorities to trust.
        client_cert: file with the certificate of the client and its key; or two files.
        proxies: the proxy for each scheme of a URL, `all` for the others, and under `no` the hosts without a proxy.
        code_limit, data_limit: most MB of local code, and of local data, that are uploaded for a job.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 300.0
    verify: Union[bool, str] = True
    client_cert: Union[str, tuple[str, str], None] = None
    proxies: Mapping[str, str] = {}
    code_limit: int = 200
    data_limit: int = 5000

    def __repr__(self) -> str:  # without the proxies, which may hold passwords
        return f"TransportOptions{self._replace(proxies={})[:]}"

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> TransportOptions:
        """From the settings, and from the environment where they are not set. Raises `ConfigError`."""
        trusted = settings["ca_bundle"].value or _usual_bundle() or True
        options = cls(
            settings["connect_timeout"].value, settings["read_timeout"].value, settings["total_timeout"].value,
            settings["verify"].value and trusted, settings["client_cert"].value, proxies(settings["proxy"].value),
            settings["code_limit"].value, settings["data_limit"].value,
        )  # fmt: skip
        if isinstance(options.verify, str) or options.client_cert:
            options.tls()  # a file without a certificate is reported now
        return options

    def tls(self) -> ssl.SSLContext:
        """A context with these certificates. Raises `ConfigError` for files without one."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        trusted = self.verify if isinstance(self.verify, str) else _certificates()
        with _readable("ca_bundle", trusted):
            context.load_verify_locations(**{"capath" if Path(trusted).is_dir() else "cafile": trusted})
        if self.client_cert:
            with _readable("client_cert", self.client_cert):
                file, key = self.client_cert if isinstance(self.client_cert, tuple) else (self.client_cert, None)
                context.load_cert_chain(file, key, password="")  # else one with a passphrase would prompt
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def proxy_for(self, url: str) -> Optional[str]:
        """The proxy for an address, or `None`. Raises `ConfigError` for an invalid one."""
        found = self.given_proxy(url)
        try:
            return found and _supported(converters.environment_proxy(found))
        except ValueError as error:
            shown = shortened(converters.without_login(found or ""))
            raise ConfigError(f"proxy={shown} ({source_of_proxy(found)}): {error}") from None

    def check_proxies(self, urls: Iterable[str]) -> None:
        """Check that the proxies for these addresses are valid. Raises `ConfigError`."""
        for url in urls:
            self.proxy_for(url)

    def given_proxy(self, url: str) -> Optional[str]:
        """That proxy as it was configured, valid or not."""
        if not self.proxies:
            return None
        from requests.utils import select_proxy, should_bypass_proxies

        hosts = self.proxies.get("no")
        if hosts is not None and should_bypass_proxies(url, hosts):
            return None
        return (select_proxy(url, dict(self.proxies)) or "").strip() or None


def _supported(proxy: str) -> str:
    """A proxy, if the package that it needs is installed. Raises `ValueError`."""
    if proxy.startswith("socks"):
        from importlib import import_module

        try:
            import_module("socks")
        except ImportError:
            raise ValueError("a SOCKS proxy needs the package PySocks: pip install 'requests[socks]'") from None
    return proxy


def source_of_proxy(proxy: Optional[str]) -> str:
    """Where a proxy that is not from our own setting was configured."""
    names = (name for name, value in os.environ.items() if name.lower().endswith("_proxy") and value.strip() == proxy)
    return next((f"environment {name}" for name in names), "settings of the system")


def proxies(setting: str) -> Mapping[str, str]:
    """The proxies of the setting, else those of the environment, as `TransportOptions` takes them."""
    if setting == NO_PROXY:
        return {}
    if setting:
        return {"all": setting}
    from urllib.request import getproxies

    found = getproxies()
    return {"no": "", **found} if found else {}


@contextmanager
def _readable(name: str, files: object) -> Iterator[None]:
    import ssl

    try:
        yield
    except OSError as error:
        reason = "not a certificate in PEM format" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(f"{name}={files!r}: {reason}; name files that hold certificates, and keys without a "
                          "passphrase") from None  # fmt: skip


def _certificates() -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return str(DEFAULT_CA_BUNDLE_PATH)


def _usual_bundle() -> str:
    for name in _BUNDLES:
        path = variable(name)
        try:
            if path:
                return converters.file(path)
        except ValueError as error:
            shown = shortened(converters.without_content(path))
            raise ConfigError(f"{name}={shown}: {error}, or unset the variable") from None
    return ""
