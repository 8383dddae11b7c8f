package io.longhorn.frontend.iscsi;

import static io.longhorn.frontend.iscsi.ServedPortal.IQN;
import static io.longhorn.frontend.iscsi.TestInitiator.NAME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.longhorn.HostPort;
import io.longhorn.frontend.MemoryDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IscsiLoginTest {

    private static final ChapCredentials USER = new ChapCredentials("user", "a secret of users");
    private static final ChapCredentials TARGET = new ChapCredentials("target", "a secret of targets");

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            HeaderDigest=CRC32C,None         | CRC32C
            HeaderDigest=None,CRC32C         | None
            DataDigest=SHA,CRC32C            | CRC32C
            DataDigest=SHA                   | Reject
            MaxConnections=8                 | 1
            MaxConnections=0                 | Reject
            InitialR2T=No                    | No
            InitialR2T=Yes                   | Yes
            InitialR2T=Maybe                 | Reject
            ImmediateData=Yes                | Yes
            ImmediateData=No                 | No
            MaxBurstLength=16776192          | 1048576
            MaxBurstLength=0x2000            | 8192
            MaxBurstLength=511               | Reject
            FirstBurstLength=16777215        | 262144
            FirstBurstLength=512             | 512
            DefaultTime2Wait=5               | 5
            DefaultTime2Retain=20            | 0
            DefaultTime2Retain=3601          | Reject
            MaxOutstandingR2T=1              | 1
            MaxOutstandingR2T=16             | 4
            DataPDUInOrder=No                | Yes
            DataSequenceInOrder=No           | Yes
            ErrorRecoveryLevel=2             | 0
            ErrorRecoveryLevel=3             | Reject
            TaskReporting=FastAbort,RFC3720  | RFC3720
            iSCSIProtocolLevel=2             | 1
            IFMarker=Yes                     | No
            OFMarkInt=2048~8192              | Reject
            X-org.example.feature=1          | NotUnderstood
            RDMAExtensions=Yes               | NotUnderstood
            MaxRecvDataSegmentLength=100     | Reject
            MaxRecvDataSegmentLength=8192    | 262144
            """)
    void keyIsNegotiated(String offer, String answer) throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            String key = offer.substring(0, offer.indexOf('='));
            assertThat(initiator.logIn(IQN, offer)).containsEntry(key, answer);
        }
    }

    @Test
    void discoveryHasNoUseForKeysOfNormalSessions() throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            TestInitiator.Received reply = initiator.login(
                    1, 3, true, "InitiatorName=" + NAME, "SessionType=Discovery", "InitialR2T=No", "DataDigest=None");
            assertThat(reply.pairs())
                    .containsEntry("InitialR2T", "Irrelevant")
                    .containsEntry("DataDigest", "None")
                    .doesNotContainKey("TargetPortalGroupTag");
            assertThat(reply.header().getShort(14)).isNotZero();
        }
    }

    @Test
    void targetsAreListed() throws IOException {
        try (ServedPortal portal =
                        new ServedPortal(settings -> settings.advertise(new HostPort("10.1.2.3", 3260)), target -> {});
                TestInitiator initiator = new TestInitiator(portal.address())) {
            portal.portal.serve(IscsiTargetSpec.of("iqn.2026-01.io.longhorn:hidden", portal.device)
                    .initiator("iqn.2026-01.test:other")
                    .build());
            initiator.login(1, 3, true, "InitiatorName=" + NAME, "SessionType=Discovery");
            String own = "TargetName=" + IQN + "\nTargetAddress=10.1.2.3:3260,1\n";
            assertThat(sendText(initiator, "SendTargets=All")).isEqualTo(own);
            assertThat(sendText(initiator, "SendTargets=" + IQN)).isEqualTo(own);
            assertThat(sendText(initiator, "SendTargets=iqn.2026-01.io.longhorn:none"))
                    .isEmpty();
            assertThat(sendText(initiator, "SendTargets=")).isEqualTo("SendTargets=Reject\n");
        }
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = TestInitiator.loggedIn(portal.address(), IQN)) {
            assertThat(sendText(initiator, "SendTargets="))
                    .isEqualTo("TargetName=" + IQN + "\nTargetAddress=" + portal.address() + ",1\n");
            assertThat(sendText(initiator, "SendTargets=All")).isEqualTo("SendTargets=Reject\n");
            assertThat(sendText(initiator, "InitialR2T=No")).isEqualTo("InitialR2T=Reject\n");
            assertThat(sendText(initiator, "Unheard=Of")).isEqualTo("Unheard=NotUnderstood\n");
        }
    }

    @Test
    void longListIsSentInPieces() throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            for (int i = 0; i < 40; i++) {
                portal.portal.serve(IscsiTargetSpec.of("iqn.2026-01.io.longhorn:t" + i, portal.device)
                        .build());
            }
            initiator.login(
                    1, 3, true, "InitiatorName=" + NAME, "SessionType=Discovery", "MaxRecvDataSegmentLength=512");
            StringBuilder list = new StringBuilder();
            TestInitiator.Received piece = text(initiator, -1, 0x80, "SendTargets=All");
            while (piece.flags() == 0x40) {
                assertThat(piece.data().length).isEqualTo(512);
                list.append(piece.text());
                piece = text(initiator, piece.at(20), 0x80);
            }
            assertThat(piece.flags()).isEqualTo(0x80);
            list.append(piece.text());
            assertThat(list.toString().split("TargetName=", -1)).hasSize(42);
        }
    }

    @Test
    void textInPiecesIsJoined() throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            byte[] text = TestInitiator.text("InitiatorName=" + NAME, "TargetName=" + IQN, "MaxBurstLength=8192");
            byte[] begin = Arrays.copyOf(text, 30);
            byte[] end = Arrays.copyOfRange(text, 30, text.length);
            initiator.sendLogin(0x44, 0, begin);
            TestInitiator.Received empty = initiator.receive();
            assertThat(empty.flags()).isEqualTo(0x04);
            assertThat(empty.data()).isEmpty();
            initiator.sendLogin(0x87, 0, end);
            assertThat(initiator.receive().pairs()).containsEntry("MaxBurstLength", "8192");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x87, TargetName=iqn.2026-01.io.longhorn:disk, 0x207",
        "0x87, InitiatorName=iqn.2026-01.test:a, 0x207",
        "0x87, 'InitiatorName=iqn.2026-01.test:a,TargetName=iqn.2026-01.io.longhorn:none', 0x203",
        "0x87, 'InitiatorName=iqn.2026-01.test:a,SessionType=Odd', 0x209",
        "0x87, 'InitiatorName=iqn.2026-01.test:a,InitiatorName=iqn.2026-01.test:a', 0x200",
        "0x87, nonsense, 0x200",
        "0x85, InitiatorName=iqn.2026-01.test:a, 0x200",
        "0x0c, InitiatorName=iqn.2026-01.test:a, 0x200",
        "0xc7, InitiatorName=iqn.2026-01.test:a, 0x200"
    })
    void wrongLoginIsRefused(String flags, String pairs, String status) throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            initiator.sendLogin(Integer.decode(flags), 0, TestInitiator.text(pairs.split(",", -1)));
            assertThat(initiator.receive().loginStatus()).isEqualTo(Integer.decode(status));
            initiator.awaitClosed();
        }
    }

    @Test
    void otherRequestsBeforeLoginAreRefused() throws IOException {
        try (ServedPortal portal = new ServedPortal();
                TestInitiator initiator = new TestInitiator(portal.address())) {
            initiator.command(TestInitiator.read10(0, 1), 0xc0, 512, new byte[0]);
            assertThat(initiator.receive().loginStatus()).isEqualTo(0x20b);
            initiator.awaitClosed();
        }
    }

    @Test
    void whoTakesTooLongIsDisconnected() throws IOException {
        try (ServedPortal portal =
                        new ServedPortal(settings -> settings.loginLimit(Duration.ofMillis(50)), target -> {});
                TestInitiator initiator = new TestInitiator(portal.address())) {
            initiator.awaitClosed();
        }
    }

    @Test
    void onlyNamedInitiatorsMayLogIn() throws IOException {
        try (ServedPortal portal =
                new ServedPortal(settings -> {}, target -> target.initiator("iqn.2026-01.test:OTHER"))) {
            try (TestInitiator initiator = new TestInitiator(portal.address())) {
                assertThat(initiator
                                .login(1, 3, true, "InitiatorName=" + NAME, "TargetName=" + IQN)
                                .loginStatus())
                        .isEqualTo(0x202);
            }
            try (TestInitiator initiator = new TestInitiator(portal.address())) {
                assertThat(initiator
                                .login(1, 3, true, "InitiatorName=iqn.2026-01.test:other", "TargetName=" + IQN)
                                .loginStatus())
                        .isZero();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"5, MD5", "7, SHA-256", "8, SHA3-256"})
    void chapLetsInWhoKnowsTheSecret(int number, String hash) throws IOException, GeneralSecurityException {
        try (ServedPortal portal = new ServedPortal(settings -> {}, target -> target.mutualChap(USER, TARGET));
                TestInitiator initiator = new TestInitiator(portal.address())) {
            byte[] theirs = {1, 2, 3, 4, 5, 6, 7, 8};
            TestInitiator.Received reply = proveWith(initiator, number, hash, USER, theirs);
            assertThat(reply.loginStatus()).isZero();
            assertThat(reply.flags()).isEqualTo(0x81);
            assertThat(reply.pairs())
                    .containsEntry("CHAP_N", TARGET.name())
                    .containsEntry("CHAP_R", "0x" + HexFormat.of().formatHex(response(hash, 9, TARGET, theirs)));
            assertThat(initiator.login(1, 3, true).loginStatus()).isZero();
            assertThat(initiator.becomeReady().status()).isZero();
        }
    }

    @Test
    void chapRefusesWhoDoesNotKnowTheSecret() throws IOException, GeneralSecurityException {
        try (ServedPortal portal = new ServedPortal(settings -> {}, target -> target.chap(USER))) {
            for (ChapCredentials wrong : new ChapCredentials[] {
                new ChapCredentials("user", "another secret"), new ChapCredentials("User", USER.secret())
            }) {
                try (TestInitiator initiator = new TestInitiator(portal.address())) {
                    assertThat(proveWith(initiator, 5, "MD5", wrong, null).loginStatus())
                            .isEqualTo(0x201);
                    initiator.awaitClosed();
                }
            }
            try (TestInitiator initiator = new TestInitiator(portal.address())) {
                // Nobody may leave the question out.
                assertThat(initiator
                                .login(1, 3, true, "InitiatorName=" + NAME, "TargetName=" + IQN)
                                .loginStatus())
                        .isEqualTo(0x201);
            }
            try (TestInitiator initiator = new TestInitiator(portal.address())) {
                assertThat(initiator
                                .login(0, 3, true, "InitiatorName=" + NAME, "TargetName=" + IQN, "AuthMethod=None")
                                .loginStatus())
                        .isEqualTo(0x201);
            }
        }
    }

    @Test
    void challengeSentBackIsRefused() throws IOException, GeneralSecurityException {
        try (ServedPortal portal = new ServedPortal(settings -> {}, target -> target.mutualChap(USER, TARGET));
                TestInitiator initiator = new TestInitiator(portal.address())) {
            assertThat(proveWith(initiator, 5, "MD5", USER, new byte[0]).loginStatus())
                    .isEqualTo(0x201);
        }
    }

    @Test
    void settingsAndSpecsAreChecked() {
        MemoryDevice device = new MemoryDevice("disk", 4096);
        assertThatThrownBy(() -> IscsiTargetSpec.of("disk", device).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IscsiTargetSpec.of(IQN, device).lun(256).build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IscsiTargetSpec.of(IQN, device)
                        .mutualChap(USER, new ChapCredentials("target", USER.secret()))
                        .build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IscsiSettings.builder().build()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IscsiSettings.builder()
                        .listen(new HostPort("127.0.0.1", 0))
                        .firstBurstMax(2 << 20)
                        .build())
                .isInstanceOf(IllegalArgumentException.class);
        try (ServedPortal portal = new ServedPortal()) {
            assertThat(portal.portal.uri(IQN)).contains("iscsi://" + portal.address() + "/" + IQN + "/1");
            assertThatThrownBy(() ->
                            portal.portal.serve(IscsiTargetSpec.of(IQN, device).build()))
                    .isInstanceOf(TargetExistsException.class);
            assertThatThrownBy(() -> IscsiPortal.start(
                            IscsiSettings.builder().listen(portal.address()).build()))
                    .isInstanceOf(PortalListenException.class);
        }
    }

    @Test
    void namesAreLegalAndUnique() {
        assertThat(IscsiNames.forVolume("Orders_DB@Monday")).isEqualTo("iqn.2026-01.io.longhorn:orders-db-monday");
        assertThat(IscsiNames.isValid(IscsiNames.forVolume("ä".repeat(300)))).isTrue();
        assertThat(IscsiNames.forVolume("a", name -> !name.endsWith("-3"))).isEqualTo("iqn.2026-01.io.longhorn:a-3");
        assertThat(IscsiNames.isValid("eui.02004567a425678d")).isTrue();
        assertThat(IscsiNames.isValid("iqn.2026-13.org.example:x")).isFalse();
        assertThat(USER.toString()).doesNotContain("secret of");
    }

    /** @param theirs what the target is to prove itself with; empty for its own challenge, null for nothing */
    private static TestInitiator.Received proveWith(
            TestInitiator initiator, int number, String hash, ChapCredentials credentials, byte[] theirs)
            throws IOException, GeneralSecurityException {
        TestInitiator.Received method =
                initiator.login(0, 1, true, "InitiatorName=" + NAME, "TargetName=" + IQN, "AuthMethod=CHAP,None");
        assertThat(method.flags()).isZero();
        assertThat(method.pairs()).containsEntry("AuthMethod", "CHAP");
        Map<String, String> question =
                initiator.login(0, 0, false, "CHAP_A=6," + number).pairs();
        assertThat(question).containsEntry("CHAP_A", Integer.toString(number));
        byte[] challenge = HexFormat.of().parseHex(question.get("CHAP_C").substring(2));
        byte[] response = response(hash, Integer.parseInt(question.get("CHAP_I")), credentials, challenge);
        String name = "CHAP_N=" + credentials.name();
        String proof = "CHAP_R=0x" + HexFormat.of().formatHex(response);
        if (theirs == null) {
            return initiator.login(0, 1, true, name, proof);
        }
        byte[] asked = theirs.length == 0 ? challenge : theirs;
        return initiator.login(
                0,
                1,
                true,
                name,
                proof,
                "CHAP_I=9",
                "CHAP_C=0x" + HexFormat.of().formatHex(asked));
    }

    private static byte[] response(String hash, int identifier, ChapCredentials credentials, byte[] challenge)
            throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance(hash);
        digest.update((byte) identifier);
        digest.update(credentials.secret().getBytes(StandardCharsets.UTF_8));
        return digest.digest(challenge);
    }

    private static String sendText(TestInitiator initiator, String pair) throws IOException {
        TestInitiator.Received reply = text(initiator, -1, 0x80, pair);
        assertThat(reply.opcode()).isEqualTo(0x24);
        assertThat(reply.flags()).isEqualTo(0x80);
        return reply.text();
    }

    private static TestInitiator.Received text(TestInitiator initiator, int ttt, int flags, String... pairs)
            throws IOException {
        ByteBuffer header = TestInitiator.header(0x04, flags);
        header.putInt(16, initiator.nextItt++);
        header.putInt(20, ttt);
        header.putInt(24, initiator.cmdSn++);
        initiator.send(header, TestInitiator.text(pairs));
        return initiator.receive();
    }
}
