"""Django's settings, as its own start-up template and REST framework's tutorial have them; what is not used is out."""

import os

from sqlalchemy import make_url

from bench.data import KEY

_url = make_url(os.environ["DATABASE_URL"])  # noqa: TID251 - as its users write it

SECRET_KEY = KEY
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.rivals.django_views"
INSTALLED_APPS = ["rest_framework"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.database,
        "USER": _url.username,
        "PASSWORD": _url.password or "",
        "HOST": _url.host,
        "PORT": _url.port,
        "CONN_MAX_AGE": None,
    }
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["bench.rivals.django_authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,
}
