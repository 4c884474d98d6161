"""Files on Alibaba OSS or another S3-compatible store, by settings."""

from botocore.config import Config


def object_storage(env, bucket: str) -> dict:
    """The `STORAGES` entry for a bucket.

    OSS speaks virtual-hosted addresses and signature version 2 on its S3 face,
    and the checksum headers that newer clients send by default break it, as
    they break other compatible stores.
    """
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.str("STORAGE_ENDPOINT_URL"),
            "access_key": env.str("STORAGE_ACCESS_KEY"),
            "secret_key": env.str("STORAGE_SECRET_KEY"),
            "default_acl": "private",
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": False,
            "client_config": Config(
                signature_version=env.str("STORAGE_SIGNATURE", "s3"),
                s3={"addressing_style": env.str("STORAGE_ADDRESSING", "virtual")},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }
