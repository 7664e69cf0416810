//! How much there is of what: for the summary and the report.

macro_rules! totals {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {
        /// Counts of lines, and of devices and modules.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Totals {
            /// Adds other ones.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// Each with its name.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

totals! {
    /// Lines that create.
    creates;
    /// Lines that update an identity, and maybe the twin.
    updates;
    /// Lines that update a twin alone.
    twin_updates;
    /// Lines that delete.
    deletes;
    /// Devices and modules for which there is nothing to do.
    equal;
    /// Devices and modules that only the first file has, and that stay.
    only_from;
    /// Modules that go with their device.
    with_device;
    /// Devices and modules with a line that can't be read for certain, and for which nothing is written.
    not_known;
    /// Modules of the hub itself, which no import writes.
    system_modules;
    /// Devices and modules whose authentication is not known on one side.
    authentication_unknown;
    /// Those of them whose authentication is in an update all the same, as one of the exports has it.
    authentication_set;
    /// Devices and modules whose keys the hub makes.
    keys_by_hub;
    /// Lines of the import that failed, and that have nothing to take back.
    failed;
    /// Lines of the import whose twin was refused, and whose identity may be written all the same.
    failed_partly;
    /// Lines that rest on the backup being the state right before the import.
    assumed;
    /// Devices and modules that get new keys, since the backup has none.
    keys_lost;
    /// Devices that get another generation id, and lose the messages that were queued for them.
    recreated;
    /// Edge devices that get another scope.
    scopes_lost;
    /// Devices that are children of such an edge device.
    children_lost;
}

impl Totals {
    /// Lines that are written.
    pub fn lines(&self) -> u64 {
        self.creates + self.updates + self.twin_updates + self.deletes
    }
}
