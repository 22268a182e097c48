// SPDX-License-Identifier: Apache-2.0

/// What every step has in common.
enum Recipe {
    /// The time that every file and image bears, and `SOURCE_DATE_EPOCH` of every step: 1980-01-02T00:00:00Z.
    ///
    /// Constant, because it is in no key; not before 1980, because zip files cannot say so.
    static let epoch = 315_619_200

    /// `epoch` as the OCI image specification writes it.
    static let created = "1980-01-02T00:00:00Z"

    /// The folder below which everything stands that a step sees and the layer must not hold.
    static let folder = "/run/varve"

    /// The host's certificates.
    static let certificates = folder + "/ca.crt"

    /// The variables of every step.
    ///
    /// Byte code that an import writes would carry the time of a source file, which the commit changes; byte code that
    /// installers write carries a hash, because of `SOURCE_DATE_EPOCH`.
    static func environment(hasCertificates: Bool) -> [String: String] {
        var result = ["SOURCE_DATE_EPOCH": String(epoch), "PYTHONDONTWRITEBYTECODE": "1"]
        guard hasCertificates else { return result }
        for name in [
            "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CONDA_SSL_VERIFY", "GIT_SSL_CAINFO",
        ] {
            result[name] = certificates
        }
        return result
    }
}
